// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/structures/strict_inode.h"

#include <gtest/gtest.h>

#include "tests/support/bytes.h"
#include "tests/support/strict_rules.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::uint64_t kDay = 86'400;
constexpr std::uint32_t kInodes = 1000;

class StrictInode : public testing::Test {
 protected:
  StrictInode() { set_le(inode_, 128, 32, 2); }
  void replace(bool is_value = false) { replace_owners_and_times(rules_, kInodes, is_value, inode_); }
  std::uint32_t word(std::size_t offset) const { return load_le<std::uint32_t>(inode_, offset); }
  void expect_time(std::size_t seconds, std::uint64_t before, std::uint64_t after) {
    set_le(inode_, seconds, before, 4);
    replace();
    EXPECT_EQ(word(seconds), after);
  }

  const StrictRules rules_ = test_rules(Strictness::strict);
  Bytes inode_ = Bytes(256);
};

TEST_F(StrictInode, HasOtherOwnersInBothParts) {
  set_le(inode_, 2, 0x2345, 2);
  set_le(inode_, 120, 1, 2);
  set_le(inode_, 156, 77, 4);
  replace();
  EXPECT_EQ(load_le<std::uint16_t>(inode_, 2) | load_le<std::uint16_t>(inode_, 120) << 16,
            rules_.owner(0x1'2345));
  EXPECT_EQ(load_le<std::uint16_t>(inode_, 24), 0);
  EXPECT_EQ(word(156), rules_.owner(77));
}

TEST_F(StrictInode, HasDaysAndNoNanoseconds) {
  set_le(inode_, 136, 0xffff'fffc, 4);
  expect_time(16, 20'000 * kDay + 5, 20'000 * kDay);
  EXPECT_EQ(word(136), 0);
}

TEST_F(StrictInode, HasDaysBefore1970AndAfter2038) {
  expect_time(16, 0xffff'ffff, 0xffff'ffffU - (kDay - 1));
  set_le(inode_, 136, 1, 4);
  expect_time(16, 0x8000'0000, 24'855 * kDay);  // 2038-01-19, of which the beginning is before
  EXPECT_EQ(word(136), 0);
}

TEST_F(StrictInode, KeepsTheNumberOfTheNextOrphan) {
  expect_time(20, kInodes, kInodes);
  expect_time(20, 20'000 * kDay + 5, 20'000 * kDay);
}

TEST_F(StrictInode, KeepsWhatAValueHasInPlaceOfTimes) {
  set_le(inode_, 8, 12'345, 4);
  set_le(inode_, 12, 1, 4);
  set_le(inode_, 16, 20'000 * kDay + 5, 4);
  replace(true);
  EXPECT_EQ(word(8), 12'345);
  EXPECT_EQ(word(12), 1);
  EXPECT_EQ(word(16), 20'000 * kDay);
}

TEST_F(StrictInode, MayHaveNoMoreFields) {
  inode_.resize(128);
  expect_time(16, 20'000 * kDay + 5, 20'000 * kDay);
  inode_.resize(256);
  set_le(inode_, 128, 4, 2);
  const Bytes attributes = filled(124, 'a');
  std::ranges::copy(attributes, inode_.begin() + 132);
  replace();
  EXPECT_EQ(part_of(inode_, 132, 124), attributes);
}

}  // namespace
}  // namespace e2qcow::ext2
