// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/structures/extent_node.h"

#include <gtest/gtest.h>

#include "tests/support/extent_nodes.h"

namespace e2qcow::ext2 {
namespace {

Bytes header_bytes(const NodeHeader& header) {
  return extent_header(header);
}

TEST(ExtentHeader, HasItsFields) {
  const ExtentHeader header(header_bytes({.magic = 0xf30a, .entries = 3, .max_entries = 340, .depth = 2}));
  EXPECT_EQ(header.magic, 0xf30a);
  EXPECT_EQ(header.entries, 3);
  EXPECT_EQ(header.max_entries, 340);
  EXPECT_EQ(header.depth, 2);
}

TEST(ExtentHeader, MakesSenseOnlyWithItsMagic) {
  EXPECT_TRUE(ExtentHeader(header_bytes({})).makes_sense(60));
  EXPECT_FALSE(ExtentHeader(header_bytes({.magic = 0xf30b})).makes_sense(60));
}

TEST(ExtentHeader, MakesSenseOnlyWithEntriesThatFit) {
  EXPECT_TRUE(ExtentHeader(header_bytes({.entries = 4})).makes_sense(60));
  EXPECT_FALSE(ExtentHeader(header_bytes({.entries = 5})).makes_sense(60));
  EXPECT_TRUE(ExtentHeader(header_bytes({.entries = 340})).makes_sense(4096));
  EXPECT_FALSE(ExtentHeader(header_bytes({.entries = 341})).makes_sense(4096));
  EXPECT_FALSE(ExtentHeader(header_bytes({.entries = 65535})).makes_sense(65536));
}

TEST(Extent, IsARunOfBlocks) {
  const Bytes leaf = extent_leaf({{(7ULL << 32) + 100, 32768}, {200, 32769}, {300, 65535}, {400, 0}});
  const auto run = [&](std::size_t i) { return extent_run(std::span(leaf).subspan(12 * (i + 1), 12)); };
  EXPECT_EQ(run(0), (BlockRun{(7ULL << 32) + 100, 32768}));
  EXPECT_EQ(run(1), (BlockRun{200, 1})) << "unwritten";
  EXPECT_EQ(run(2), (BlockRun{300, 32767})) << "unwritten";
  EXPECT_EQ(run(3), (BlockRun{400, 0}));
}

TEST(ExtentIndex, PointsToANodeWith48Bits) {
  const Bytes index = extent_index(1, {0xffff'ffffffff, 5});
  EXPECT_EQ(extent_child(std::span(index).subspan(12, 12)), 0xffff'ffffffff);
  EXPECT_EQ(extent_child(std::span(index).subspan(24, 12)), 5);
}

}  // namespace
}  // namespace e2qcow::ext2
