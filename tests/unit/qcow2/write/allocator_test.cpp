// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/write/allocator.h"

#include <gtest/gtest.h>

#include "tests/support/memory_file.h"

namespace e2qcow::qcow2 {
namespace {

constexpr std::uint64_t kLargeCluster = 65536;

// Host offsets are counted from the beginning of the data.
struct Allocation {
  std::uint64_t clusters(std::uint64_t count) { return allocator.allocate_clusters(count) - begin; }
  std::uint64_t compressed(std::uint64_t length) { return allocator.allocate_compressed(length) - begin; }
  std::uint64_t references(std::uint64_t host_offset) const {
    return refcounts.references((begin + host_offset) / kLargeCluster);
  }

  MemoryFile file;
  Layout layout = plan_layout(Geometry{16}, 1ULL << 40, {.data = 100'000, .l2_tables = 20});
  std::uint64_t begin = layout.data_offset;
  RefcountWriter refcounts{file, layout};
  Allocator allocator{refcounts, layout};
};

TEST(Allocator, PutsClustersOneAfterTheOther) {
  Allocation allocation;
  EXPECT_EQ(allocation.clusters(3), 0U);
  EXPECT_EQ(allocation.clusters(1), 3 * kLargeCluster);
  EXPECT_EQ(allocation.allocator.end() - allocation.begin, 4 * kLargeCluster);
  for (std::uint64_t i = 0; i < 4; ++i) EXPECT_EQ(allocation.references(i * kLargeCluster), 1U);
}

TEST(Allocator, PacksCompressedClustersByteByByte) {
  Allocation allocation;
  EXPECT_EQ(allocation.compressed(40'000), 0U);
  EXPECT_EQ(allocation.compressed(20'000), 40'000U);
  EXPECT_EQ(allocation.compressed(10'000), 60'000U);  // the end of one cluster and the begin of the next
  EXPECT_EQ(allocation.references(0), 3U);
  EXPECT_EQ(allocation.references(kLargeCluster), 1U);
}

TEST(Allocator, FillsUpTheClusterBeforePlainOnes) {
  Allocation allocation;
  EXPECT_EQ(allocation.compressed(1000), 0U);
  EXPECT_EQ(allocation.clusters(2), kLargeCluster);
  EXPECT_EQ(allocation.compressed(64'000), 1000U);
  EXPECT_EQ(allocation.compressed(1000), 3 * kLargeCluster);  // does not fit into the rest of the first
}

TEST(Allocator, GoesBackNoFurtherThan8MiB) {
  for (const std::uint64_t clusters : {127U, 128U}) {  // 128 of them are 8 MiB
    Allocation allocation;
    allocation.compressed(1000);
    allocation.clusters(clusters);
    const bool is_near = (clusters + 1) * kLargeCluster - 1000 <= 8 << 20;
    EXPECT_EQ(allocation.compressed(1000), is_near ? 1000 : (clusters + 1) * kLargeCluster);
  }
}

TEST(Allocator, BeginsANewClusterBeforeARefcountOf16BitsOverflows) {
  Allocation allocation;
  for (std::uint64_t i = 0; i < 65'535; ++i) ASSERT_EQ(allocation.compressed(1), i);
  EXPECT_EQ(allocation.references(0), 65'535U);
  EXPECT_EQ(allocation.compressed(1), kLargeCluster);
}

TEST(Allocator, LeavesClustersOpenThatMayBeFilledUp) {
  Allocation allocation;
  const std::uint64_t first = allocation.begin / kLargeCluster;
  EXPECT_EQ(allocation.allocator.first_open_cluster(), first);
  allocation.compressed(1000);
  allocation.clusters(5);
  EXPECT_EQ(allocation.allocator.first_open_cluster(), first);
  allocation.clusters(1000);
  EXPECT_EQ(allocation.allocator.first_open_cluster(), first + 1006);
}

}  // namespace
}  // namespace e2qcow::qcow2
