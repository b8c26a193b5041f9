// SPDX-License-Identifier: GPL-2.0-or-later
// Run by ./dev tsan.
#include "ext2/selection/findings.h"

#include <gtest/gtest.h>

namespace e2qcow::ext2 {
namespace {

using enum Finding;
using Entries = std::vector<Findings::Entry>;

TEST(Findings, AreSortedByKindInodeAndBlock) {
  Findings findings;
  findings.add(block_out_of_range, 12, 5);
  findings.add(bad_extent_node, 13, 5);
  findings.add(block_out_of_range, 11, 9);
  findings.add(block_out_of_range, 11, 5);
  const Entries expected{{bad_extent_node, 13, 5},
                         {block_out_of_range, 11, 5},
                         {block_out_of_range, 11, 9},
                         {block_out_of_range, 12, 5}};
  EXPECT_TRUE(findings.entries() == expected);
}

TEST(Findings, AreCountedByKind) {
  Findings findings;
  EXPECT_EQ(findings.total(), 0);
  findings.add(bad_extent_node, 1, 1);
  findings.add(bad_extent_node, 1, 2);
  findings.add(short_device, 0, 1);
  EXPECT_EQ(findings.total(), 3);
  EXPECT_EQ(findings.summary().size(), 2);
  EXPECT_EQ(findings.summary()[bad_extent_node].count, 2);
  EXPECT_EQ(findings.summary()[short_device].count, 1);
}

// Several views of one file system find the same.
TEST(Findings, CountTheSameThingOnce) {
  Findings findings;
  findings.add(bad_extent_node, 1, 1);
  findings.add(bad_extent_node, 1, 1);
  EXPECT_EQ(findings.total(), 1);
}

TEST(Findings, AreCountedBeyondThoseThatAreKept) {
  Findings findings;
  for (std::uint64_t i = 0; i < Findings::kMaxEntries + 5; ++i) findings.add(bad_extent_node, i, i);
  EXPECT_EQ(findings.entries().size(), Findings::kMaxEntries);
  EXPECT_EQ(findings.total(), Findings::kMaxEntries + 5);
}

TEST(Findings, AreSummedUpByTheFirstInOrderNotInTime) {
  Findings findings;
  findings.add(bad_extent_node, 9, 1);
  findings.add(bad_extent_node, 3, 8);
  findings.add(bad_extent_node, 3, 7);
  EXPECT_TRUE(findings.summary()[bad_extent_node].first == (Findings::Entry{bad_extent_node, 3, 7}));
}

}  // namespace
}  // namespace e2qcow::ext2
