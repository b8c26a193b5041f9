// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/structures/quota.h"

#include <gtest/gtest.h>

#include "ext2/structures/quota_piece.h"
#include "tests/support/bytes.h"
#include "tests/support/strict_rules.h"

namespace e2qcow::ext2 {
namespace {

class Quota : public testing::Test {
 protected:
  // With `used` entries, all of which are filled.
  static Bytes leaf(std::uint64_t used) {
    Bytes piece = filled(kQuotaPiece, 's');
    std::ranges::fill(std::span(piece).first(16), std::byte{0});
    set_le(piece, 8, used, 2);
    return piece;
  }
  static std::span<const std::byte> entry(const Bytes& piece, std::size_t index) {
    return std::span(piece).subspan(16 + 72 * index, 72);
  }
  const StrictRules plain_ = test_rules(Strictness::plain);
  const StrictRules strict_ = test_rules(Strictness::strict);
  Tally tally_;
};

TEST_F(Quota, KeepsTheHeaderOfTheFile) {
  Bytes piece = filled(kQuotaPiece, 's');
  set_le(piece, 0, 0xd9c0'1927, 4);
  const Bytes before = piece;
  anonymize_quota(plain_, QuotaTrees(), 7, piece, tally_);
  EXPECT_EQ(part_of(piece, 0, 32), part_of(before, 0, 32));
  EXPECT_TRUE(is_zero(std::span(piece).subspan(32)));
}

TEST_F(Quota, KeepsANodeOfTheTree) {
  Bytes piece(kQuotaPiece);
  for (const std::size_t i : {0, 1, 3}) set_le(piece, 4 * i, i + 1, 4);
  const Bytes before = piece;
  anonymize_quota(plain_, QuotaTrees(), 7, piece, tally_);
  EXPECT_EQ(piece, before);
}

TEST_F(Quota, KeepsAsManyEntriesAsAreInUse) {
  Bytes piece = leaf(3);
  std::ranges::fill(std::span(piece).subspan(16, 72), std::byte{0});  // one is free
  anonymize_quota(plain_, QuotaTrees(), 7, piece, tally_);
  EXPECT_TRUE(is_zero(entry(piece, 0)));
  for (const std::size_t i : {1, 2, 3}) {
    EXPECT_EQ(part_of(entry(piece, i), 0, 4), filled(4, 's')) << i;
    EXPECT_EQ(part_of(entry(piece, i), 4, 4), filled(4, 0)) << i;
    EXPECT_EQ(part_of(entry(piece, i), 8, 64), filled(64, 's')) << i;
  }
  EXPECT_TRUE(is_zero(std::span(piece).subspan(16 + 4 * 72, 10 * 72)));
  EXPECT_EQ(tally_.not_parsed, 0);
}

TEST_F(Quota, IsZeroIfItIsNoneOfThese) {
  Bytes piece = filled(kQuotaPiece, 's');
  anonymize_quota(plain_, QuotaTrees(), 7, piece, tally_);
  EXPECT_TRUE(is_zero(piece));
  EXPECT_EQ(tally_.not_parsed, 1);
}

TEST_F(Quota, HasOtherOwnersAndDaysIfItIsStrict) {
  Bytes piece(kQuotaPiece);
  set_le(piece, 8, 2, 2);
  set_le(piece, 16 + 64, 1, 8);  // of root
  set_le(piece, 16 + 72, 1000, 4);
  set_le(piece, 16 + 72 + 40, 4096, 8);
  set_le(piece, 16 + 72 + 56, 3 * 86'400 + 7, 8);
  anonymize_quota(strict_, QuotaTrees(), 7, piece, tally_);
  EXPECT_EQ(load_le<std::uint32_t>(entry(piece, 0), 0), 0);
  EXPECT_EQ(load_le<std::uint64_t>(entry(piece, 0), 64), 1);
  EXPECT_EQ(load_le<std::uint32_t>(entry(piece, 1), 0), strict_.owner(1000));
  EXPECT_EQ(load_le<std::uint64_t>(entry(piece, 1), 40), 4096);
  EXPECT_EQ(load_le<std::uint64_t>(entry(piece, 1), 56), 3 * 86'400);
}

}  // namespace
}  // namespace e2qcow::ext2
