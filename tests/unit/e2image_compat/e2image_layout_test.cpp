// SPDX-License-Identifier: GPL-2.0-or-later
#include "e2image_compat/e2image_layout.h"

#include <gtest/gtest.h>

#include "tests/support/sizes.h"

namespace e2qcow::compat {
namespace {

// 1 KiB: an L2 table maps 128 blocks, a refcount block counts 512 clusters.
TEST(E2imageLayout, PutsOneUnusedClusterAfterTheRefcountTable) {
  const E2imageLayout plan = plan_placement(1024, 40960, 4505);
  EXPECT_EQ(plan.l1_entries, 320);
  EXPECT_EQ(plan.l1_offset, 1 * kKiB);
  EXPECT_EQ(plan.refcount_table_offset, 4 * kKiB);
  EXPECT_EQ(plan.refcount_table_clusters, 1);
  EXPECT_EQ(plan.first_l2_offset, 6 * kKiB);
  EXPECT_EQ(plan.first_refcount_block_offset, 7 * kKiB);
}

TEST(E2imageLayout, SizesTheRefcountTableByWhatE2imageCounts) {
  EXPECT_EQ(plan_placement(1024, 204800, 77079).refcount_table_clusters, 2);
  EXPECT_EQ(plan_placement(1024, 204800, 117084).refcount_table_clusters, 3);
  EXPECT_EQ(plan_placement(2048, 256000, 207845).refcount_table_clusters, 3);
  EXPECT_EQ(plan_placement(4096, 384000, 289715).refcount_table_clusters, 2);
}

TEST(E2imageLayout, IsNotAlwaysLargeEnough) {
  const E2imageLayout plan = plan_placement(1024, 69632, 65340);
  EXPECT_EQ(plan.refcount_blocks(), 128);
  EXPECT_TRUE(plan.is_large_enough_for(64000, 544));
  EXPECT_FALSE(plan.is_large_enough_for(65340, 544));
  EXPECT_TRUE(with_refcount_table(plan, 2).is_large_enough_for(65340, 544));
}

TEST(E2imageLayout, IsNotValidIfQemuOpensNoSuchTables) {
  constexpr std::uint64_t kBlocksOf8TiB = 8ULL << 40 >> 12;
  EXPECT_TRUE(plan_placement(4096, kBlocksOf8TiB, 1000).is_valid());
  EXPECT_FALSE(plan_placement(4096, kBlocksOf8TiB + 1, 1000).is_valid());
  EXPECT_FALSE(plan_placement(4096, kBlocksOf8TiB, 3ULL << 27).is_valid());
}

TEST(E2imagePlacer, PutsATableAfterTheFirstBlockOfTheOneBeforeIt) {
  E2imagePlacer placement(plan_placement(1024, 40960, 4505));
  const auto first = placement.place(1);
  EXPECT_EQ(first.host_offset, 8 * kKiB);
  EXPECT_EQ(first.new_l2_table, 6 * kKiB);
  const auto second = placement.place(2);
  EXPECT_EQ(second.host_offset, 10 * kKiB);
  EXPECT_EQ(second.new_l2_table, std::nullopt);
  const auto third = placement.place(128);
  EXPECT_EQ(third.host_offset, 11 * kKiB);
  EXPECT_EQ(third.new_l2_table, 9 * kKiB);
  EXPECT_EQ(placement.place(129).host_offset, 13 * kKiB);
}

TEST(E2imagePlacer, CountsAClusterForATableThatMayComeAndOneMore) {
  E2imagePlacer placement(plan_placement(1024, 40960, 4505));
  placement.place(1);  // cluster 8; 9 is for the next table
  placement.finish();
  EXPECT_EQ(placement.counted_clusters(), 11);
}

TEST(E2imagePlacer, PutsARefcountBlockBeforeTheClustersThatItCounts) {
  E2imagePlacer placement(plan_placement(1024, 40960, 4505));
  std::uint64_t last = 0;
  for (std::uint64_t block = 0; block < 1000; ++block) {
    const auto placed = placement.place(block);
    EXPECT_GT(placed.host_offset, last);
    EXPECT_NE(placed.host_offset, 512 * kKiB);
    last = placed.host_offset;
  }
  EXPECT_EQ(placement.refcount_blocks(), (std::vector<std::uint64_t>{7 * kKiB, 512 * kKiB}));
}

TEST(E2imagePlacer, CountsAFrontThatNeedsMoreThanOneRefcountBlock) {
  const E2imageLayout plan = plan_placement(1024, 40960ULL * 4096, 4505);  // an L1 table of 10 MiB
  const E2imagePlacer placement(plan);
  const std::uint64_t first = plan.first_refcount_block_offset;
  EXPECT_EQ(placement.refcount_blocks().size(), (placement.counted_clusters() - 1) / 512 + 1);
  EXPECT_EQ(placement.refcount_blocks()[0], first);
  EXPECT_EQ(placement.refcount_blocks()[1], first + kKiB);
}

}  // namespace
}  // namespace e2qcow::compat
