// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/plan.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include "tests/support/errors.h"
#include "tests/support/sizes.h"

namespace e2qcow::work {
namespace {

constexpr std::uint64_t kGiB = 1ULL << 30;
const std::vector<Extent> kOneBlock{{64 * 1024, 4096}};

std::uint64_t cluster_size(const ImageFormat& format, std::uint64_t disk_size) {
  const auto weigh = [](const qcow2::Layout& layout) {
    return layout.geometry.cluster_size() == 4096 ? 100 * kMiB : 200 * kMiB;
  };
  return plan_image(format, disk_size, kOneBlock, "image", weigh).geometry.cluster_size();
}

TEST(Plan, HasTheClusterSizeThatIsAskedFor) {
  EXPECT_EQ(cluster_size({.cluster_bits = 15}, kMiB), 32 * 1024);
}

TEST(Plan, IsTheSmallestIfNothingIsCompressed) {
  EXPECT_EQ(cluster_size({}, kMiB), 512);  // 13 clusters; at 1024 bytes it would be 9 KiB
}

TEST(Plan, HasTheUsualClustersWhereDataIsCompressed) {
  EXPECT_EQ(cluster_size({.compression = qcow2::Compression{}}, kMiB), 64 * 1024);
}

TEST(Plan, IsWhatWeighsLeastIfTheSmallestIsWanted) {
  EXPECT_EQ(cluster_size({.compression = qcow2::Compression{}, .smallest = true}, kMiB), 4096);
}

TEST(Plan, IsRefusedIfQemuWouldNotOpenTheImage) {
  EXPECT_EQ(cluster_size({.cluster_bits = 9}, 128 * kGiB), 512);
  const Ending ending = ending_of([] { cluster_size({.cluster_bits = 9}, 128 * kGiB + 1); });
  EXPECT_EQ(ending.code, Errc::small_clusters);
  EXPECT_EQ(ending.text, "image: clusters of 512 bytes are too small for a disk of 137438953473 bytes");
}

}  // namespace
}  // namespace e2qcow::work
