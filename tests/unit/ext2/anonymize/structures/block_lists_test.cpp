// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/structures/block_lists.h"

#include <gtest/gtest.h>

#include "ext2/structures/checksum.h"
#include "tests/support/extent_nodes.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::uint64_t kBlocks = 2000;
constexpr std::uint64_t kNowhere = 0xffff'ffff'fff0;  // of 48 bits

Bytes resized(Bytes bytes, std::size_t size) {
  bytes.resize(size);
  return bytes;
}

TEST(ExtentLists, KeepBlocksOfTheFileSystem) {
  Bytes leaf = resized(extent_leaf({{100, 5}, {1999, 1}}), 60);
  Bytes index = resized(extent_index(1, {100, 1999}), 60);
  const Bytes old_leaf = leaf;
  const Bytes old_index = index;
  Tally tally;
  EXPECT_TRUE(anonymize_extents(leaf, kBlocks, tally));
  EXPECT_TRUE(anonymize_extents(index, kBlocks, tally));
  EXPECT_EQ(leaf, old_leaf);
  EXPECT_EQ(index, old_index);
  EXPECT_EQ(tally.replaced, 0);
}

TEST(ExtentLists, ReplaceOtherNumbersByOneThatIsAsWrong) {
  Bytes leaf = resized(extent_leaf({{100, 5}, {2000, 1}, {0x7365'6372'6574, 2}}), 60);
  Bytes index = resized(extent_index(1, {2000}), 60);
  Tally tally;
  EXPECT_TRUE(anonymize_extents(leaf, kBlocks, tally));
  EXPECT_TRUE(anonymize_extents(index, kBlocks, tally));
  EXPECT_EQ(leaf, resized(extent_leaf({{100, 5}, {kNowhere, 1}, {kNowhere, 2}}), 60));
  EXPECT_EQ(index, resized(extent_index(1, {kNowhere}), 60));
  EXPECT_EQ(tally.replaced, 3);
}

TEST(ExtentLists, ClearWhatIsNotInUse) {
  Bytes leaf = resized(extent_leaf({{100, 5}}), 60);
  const Bytes clean = leaf;
  std::ranges::fill(std::span(leaf).subspan(24), std::byte{'s'});
  Bytes index = resized(extent_index(1, {100}), 60);
  const Bytes clean_index = index;
  set_le(index, 12 + 10, 0x7373, 2);
  Tally tally;
  EXPECT_TRUE(anonymize_extents(leaf, kBlocks, tally));
  EXPECT_TRUE(anonymize_extents(index, kBlocks, tally));
  EXPECT_EQ(leaf, clean);
  EXPECT_EQ(index, clean_index);
}

TEST(ExtentLists, ChangeNothingThatIsNone) {
  Bytes text = filled(60, 'x');
  Bytes too_many = resized(extent_header({.entries = 5}), 60);
  Tally tally;
  EXPECT_FALSE(anonymize_extents(text, kBlocks, tally));
  EXPECT_FALSE(anonymize_extents(too_many, kBlocks, tally));
  EXPECT_EQ(text, filled(60, 'x'));
}

class ExtentBlock : public testing::Test {
 protected:
  // What ext2fs_extent_block_csum_set() stores, whatever the seed: of the entries, used and not.
  static std::uint32_t right_checksum(const Bytes& block) {
    return crc32c(kSeed, std::span(block).first(kTail));
  }
  static std::uint32_t checksum_in(const Bytes& block) { return load_le<std::uint32_t>(block, kTail); }
  static Bytes node(std::uint32_t wrong_by = 0) {
    Bytes block = resized(extent_leaf({{100, 5}, {2000, 7}}), 1024);
    set_le(block, 4, 84, 2);
    std::ranges::fill(std::span(block).subspan(36), std::byte{'s'});
    set_le(block, kTail, right_checksum(block) ^ wrong_by, 4);
    return block;
  }

  static constexpr std::uint32_t kSeed = 0x1234'5678;
  static constexpr std::size_t kTail = 85 * 12;
};

TEST_F(ExtentBlock, KeepsARightChecksumRightAndAWrongOneWrong) {
  for (const std::uint32_t wrong_by : {0U, 0x10U}) {
    Bytes block = node(wrong_by);
    Tally tally;
    anonymize_extent_block(block, {true}, kBlocks, tally);
    EXPECT_EQ(checksum_in(block), right_checksum(block) ^ wrong_by);
    EXPECT_TRUE(is_zero(std::span(block).subspan(36, kTail - 36)));
  }
}

TEST_F(ExtentBlock, HasNothingInPlaceOfAChecksumIfThereAreNone) {
  Bytes block = node();
  Tally tally;
  anonymize_extent_block(block, {false}, kBlocks, tally);
  EXPECT_TRUE(is_zero(std::span(block).subspan(36)));
}

TEST_F(ExtentBlock, IsZeroIfItIsNoNode) {
  Bytes block = filled(1024, 's');
  Tally tally;
  anonymize_extent_block(block, {true}, kBlocks, tally);
  EXPECT_TRUE(is_zero(block));
  EXPECT_EQ(tally.not_parsed, 1);
}

TEST(Pointers, KeepBlocksOfTheFileSystem) {
  Bytes list = pointers({0, 1, 1999, 2000, 0x7365'6372});
  Tally tally;
  anonymize_pointers(list, kBlocks, tally);
  EXPECT_EQ(list, pointers({0, 1, 1999, 0xffff'fff0, 0xffff'fff0}));
  EXPECT_EQ(tally.replaced, 2);
}

class OrphanBlock : public testing::Test {
 protected:
  OrphanBlock() {
    set_le(block_, 0, 12, 4);
    set_le(block_, 4, 100, 4);
    set_le(block_, 8, 0x7365'6372, 4);
    set_le(block_, kTail, 0x0b10'ca04, 4);
    set_le(block_, kTail + 4, right_checksum(), 4);
  }
  std::uint32_t right_checksum() const { return crc32c(77, std::span(block_).first(kTail)); }
  std::uint32_t checksum() const { return load_le<std::uint32_t>(block_, kTail + 4); }

  static constexpr std::size_t kTail = 1024 - 8;
  Bytes block_ = Bytes(1024);
  Tally tally_;
};

TEST_F(OrphanBlock, KeepsInodesOfTheFileSystem) {
  anonymize_orphans(block_, {true}, 100, tally_);
  EXPECT_EQ(part_of(block_, 0, 12), pointers({12, 100, 0xffff'ffff}));
  EXPECT_EQ(tally_.replaced, 1);
}

TEST_F(OrphanBlock, KeepsARightChecksumRightAndAWrongOneWrong) {
  Bytes same = block_;
  anonymize_orphans(block_, {true}, 100, tally_);
  EXPECT_EQ(checksum(), right_checksum());
  block_ = same;
  set_le(block_, kTail + 4, checksum() ^ 9, 4);
  anonymize_orphans(block_, {true}, 100, tally_);
  EXPECT_EQ(checksum(), right_checksum() ^ 9);
}

TEST_F(OrphanBlock, HasNothingInPlaceOfAChecksumIfThereAreNone) {
  anonymize_orphans(block_, {false}, 100, tally_);
  EXPECT_EQ(checksum(), 0);
}

TEST_F(OrphanBlock, IsZeroWithoutItsMagic) {
  set_le(block_, kTail, 0, 4);
  anonymize_orphans(block_, {true}, 100, tally_);
  EXPECT_TRUE(is_zero(block_));
  EXPECT_EQ(tally_.not_parsed, 1);
}

}  // namespace
}  // namespace e2qcow::ext2
