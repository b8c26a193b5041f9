// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/names/index_block.h"

#include <gtest/gtest.h>

#include "tests/support/index_block.h"

namespace e2qcow::ext2 {
namespace {

const std::vector<IndexEntry> kThree{{0, 1}, {0x4000'0000, 2}, {0x8000'0000, 3}};

TEST(IndexBlock, IsARoot) {
  const auto index = parse_index_block(index_root(kThree, false, 2));
  ASSERT_TRUE(index);
  EXPECT_TRUE(index->is_root());
  EXPECT_EQ(index->entries, 32);
  EXPECT_EQ(index->count, 3);
  EXPECT_EQ(index->limit, 124);
  EXPECT_EQ(index->version, 2);
  EXPECT_EQ(index->end(), 32 + 3 * 8);
  EXPECT_EQ(index->limit_end(), 1024);
}

TEST(IndexBlock, IsANode) {
  const auto index = parse_index_block(index_node(kThree));
  ASSERT_TRUE(index);
  EXPECT_FALSE(index->is_root());
  EXPECT_EQ(index->entries, 8);
  EXPECT_EQ(index->limit, 127);
}

TEST(IndexBlock, HasRoomForAChecksum) {
  EXPECT_EQ(parse_index_block(index_root(kThree, true))->limit_end(), 1016);
  EXPECT_EQ(parse_index_block(index_node(kThree, true))->limit_end(), 1016);
}

TEST(IndexBlock, IsNoneIfItHoldsEntries) {
  EXPECT_FALSE(parse_index_block(directory_block({{12, 12, "."}, {2, 12, ".."}, {13, 1000, "name"}})));
  EXPECT_FALSE(parse_index_block(Bytes(1024)));
}

TEST(IndexBlock, IsNoNodeIfItIsAnEmptyBlock) {
  EXPECT_FALSE(parse_index_block(directory_block({{0, 1024, "", 0}})));
  Bytes block = index_node(kThree);
  set_le(block, 8, 100, 2);
  EXPECT_FALSE(parse_index_block(block));
}

TEST(IndexBlock, HasAsManyEntriesAsFit) {
  for (const std::uint64_t count : {0, 125}) {
    Bytes block = index_root(kThree);
    set_le(block, 34, count, 2);
    EXPECT_FALSE(parse_index_block(block)) << count;
  }
}

TEST(IndexBlock, KeepsTheCountIfTheLimitOfARootIsWrong) {
  Bytes block = index_root(kThree);
  set_le(block, 32, 0xffff, 2);
  const auto index = parse_index_block(block);
  ASSERT_TRUE(index);
  EXPECT_EQ(index->count, 3);
}

}  // namespace
}  // namespace e2qcow::ext2
