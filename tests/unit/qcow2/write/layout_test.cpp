// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/write/layout.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/random.h"
#include "tests/support/sizes.h"

namespace e2qcow::qcow2 {
namespace {

TEST(RefcountSize, CountsItsOwnClusters) {
  EXPECT_EQ(refcount_size(Geometry{9}, 254), (RefcountSize{.blocks = 1, .table_clusters = 1}));
  EXPECT_EQ(refcount_size(Geometry{9}, 255), (RefcountSize{.blocks = 2, .table_clusters = 1}));
}

TEST(RefcountSize, CountsTheClustersOfItsTable) {
  // A table cluster holds 64 entries, a block counts 256 clusters: 64 blocks and the table count 16319
  // others.
  EXPECT_EQ(refcount_size(Geometry{9}, 16319), (RefcountSize{.blocks = 64, .table_clusters = 1}));
  EXPECT_EQ(refcount_size(Geometry{9}, 16320), (RefcountSize{.blocks = 65, .table_clusters = 2}));
}

TEST(RefcountSize, IsTheSmallestThatIsEnough) {
  Random random;
  for (int i = 0; i < 2000; ++i) {
    const Geometry geometry{static_cast<std::uint32_t>(random.between(9, 21))};
    const std::uint64_t clusters = random.between(1, 1ULL << random.between(1, 34));
    const RefcountSize size = refcount_size(geometry, clusters);
    const std::uint64_t total = clusters + size.blocks + size.table_clusters;
    const std::uint64_t entries = geometry.cluster_size() / 2;
    ASSERT_GE(size.blocks * entries, total) << clusters;
    ASSERT_LT((size.blocks - 1) * entries, total) << clusters;
    ASSERT_GE(size.table_clusters * geometry.cluster_size(), size.blocks * 8) << clusters;
    ASSERT_LT((size.table_clusters - 1) * geometry.cluster_size(), size.blocks * 8) << clusters;
  }
}

TEST(CountClusters, CountsNothingWithoutExtents) {
  EXPECT_EQ(count_clusters({}, Geometry{9}), (ClusterCount{.data = 0, .l2_tables = 0}));
}

TEST(CountClusters, CountsEveryClusterThatIsTouched) {
  const std::vector<Extent> extents{{511, 2}, {5000, 1}};
  EXPECT_EQ(count_clusters(extents, Geometry{9}), (ClusterCount{.data = 3, .l2_tables = 1}));
}

TEST(CountClusters, CountsAClusterOfSeveralExtentsOnce) {
  const std::vector<Extent> extents{{0, 10}, {20, 10}, {500, 20}, {600, 10}};
  EXPECT_EQ(count_clusters(extents, Geometry{9}), (ClusterCount{.data = 2, .l2_tables = 1}));
}

TEST(CountClusters, CountsATableForEvery32KiBOfClustersOf512Bytes) {
  const std::vector<Extent> extents{{0, 1}, {32 * kKiB - 1, 2}, {200 * kKiB, 64 * kKiB}};
  EXPECT_EQ(count_clusters(extents, Geometry{9}), (ClusterCount{.data = 131, .l2_tables = 5}));
}

TEST(CountClusters, CountsAsASetOfClustersWould) {
  Random random;
  for (int round = 0; round < 200; ++round) {
    const Geometry geometry{static_cast<std::uint32_t>(random.between(9, 13))};
    const auto extents = random.extents(2 * kMiB, random.between(1, 20000), random.between(1, 20000));
    std::set<std::uint64_t> clusters;
    std::set<std::uint64_t> tables;
    for (const Extent& extent : extents)
      for (std::uint64_t sector = extent.offset / 512; sector <= (extent.end() - 1) / 512; ++sector) {
        clusters.insert(sector * 512 / geometry.cluster_size());
        tables.insert(sector * 512 / geometry.cluster_size() / (geometry.cluster_size() / 8));
      }
    ASSERT_EQ(count_clusters(extents, geometry),
              (ClusterCount{.data = clusters.size(), .l2_tables = tables.size()}));
  }
}

TEST(PlanLayout, PutsOneAfterTheOther) {
  // 1 MiB of clusters of 512 bytes: 32 L1 entries in one cluster. 1 + 1 + 3 + 300 clusters and a refcount
  // table need two blocks of 256 entries.
  const Layout layout = plan_layout(Geometry{9}, kMiB, {.data = 300, .l2_tables = 3});
  EXPECT_EQ(layout.disk_size, kMiB);
  EXPECT_EQ(layout.l1_entries, 32);
  EXPECT_EQ(layout.l1_offset, 512);
  EXPECT_EQ(layout.refcount_table_offset, 1024);
  EXPECT_EQ(layout.refcounts, (RefcountSize{.blocks = 2, .table_clusters = 1}));
  EXPECT_EQ(layout.refcount_blocks_offset, 1536);
  EXPECT_EQ(layout.l2_offset, 2560);
  EXPECT_EQ(layout.data_offset, 4096);
  EXPECT_EQ(layout.end(), 4096 + 300 * 512);
}

TEST(PlanLayout, HasAnL1EntryForEveryBeginOfATablesReach) {
  EXPECT_EQ(plan_layout(Geometry{9}, 32 * kKiB, {}).l1_entries, 1);
  EXPECT_EQ(plan_layout(Geometry{9}, 32 * kKiB + 1, {}).l1_entries, 2);
  EXPECT_EQ(plan_layout(Geometry{16}, kTiB, {}).l1_entries, 2048);
}

TEST(PlanLayout, HasAnL1EntryForADiskOfNothing) {
  EXPECT_EQ(plan_layout(Geometry{16}, 0, {}).l1_entries, 1);
}

TEST(PlanLayout, GivesTheL1TableAsManyClustersAsItTakes) {
  // 65 entries of 8 bytes are more than 512 bytes.
  EXPECT_EQ(plan_layout(Geometry{9}, 64 * 32 * kKiB, {}).refcount_table_offset, 1024);
  EXPECT_EQ(plan_layout(Geometry{9}, 65 * 32 * kKiB, {}).refcount_table_offset, 1536);
}

TEST(Layout, IsNotValidIfQemuWouldRefuseItsL1Table) {
  EXPECT_TRUE(plan_layout(Geometry{12}, 8 * kTiB, {}).is_valid());
  EXPECT_FALSE(plan_layout(Geometry{12}, 8 * kTiB + 1, {}).is_valid());
  EXPECT_TRUE(plan_layout(Geometry{9}, 128ULL << 30, {}).is_valid());
  EXPECT_FALSE(plan_layout(Geometry{9}, (128ULL << 30) + 1, {}).is_valid());
}

TEST(Layout, IsNotValidIfQemuWouldRefuseItsRefcountTable) {
  // 8 MiB are 2^20 blocks of 256 entries: 2^28 clusters of 512 bytes.
  EXPECT_TRUE(plan_layout(Geometry{9}, kMiB, {.data = 260'000'000, .l2_tables = 1}).is_valid());
  EXPECT_FALSE(plan_layout(Geometry{9}, kMiB, {.data = 1ULL << 28, .l2_tables = 1}).is_valid());
}

}  // namespace
}  // namespace e2qcow::qcow2
