// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/write/cluster_size.h"

#include <gtest/gtest.h>

#include "tests/support/random.h"
#include "tests/support/sizes.h"

namespace e2qcow::qcow2 {
namespace {

std::vector<Extent> whole(std::uint64_t disk_size) {
  return {{0, disk_size}};
}

// 1 KiB in each of the first `count` L2 tables of clusters of 64 KiB.
std::vector<Extent> scattered(std::uint64_t count) {
  std::vector<Extent> extents;
  for (std::uint64_t i = 0; i < count; ++i) extents.push_back({i * 512 * kMiB, kKiB});
  return extents;
}

TEST(BestClusterBits, AreSmallForAFewScatteredBlocks) {
  // 4 KiB at 512: 1 + 1 + 1 + 1 + 1 + 8 clusters are 6.5 KiB. At 1024: 9 clusters are 9 KiB.
  EXPECT_EQ(best_cluster_bits(kMiB, std::vector<Extent>{{64 * kKiB, 4 * kKiB}}), 9);
}

TEST(BestClusterBits, AreLargeForADenseDisk) {
  // Besides 1 GiB of data: at 32 KiB header, L1, refcount table, 3 refcount blocks and 8 L2 tables are
  // 448 KiB; at 64 KiB it is 1, 1, 1, 1 and 2: 384 KiB; at 128 KiB 1, 1, 1, 1 and 1: 640 KiB.
  EXPECT_EQ(best_cluster_bits(1ULL << 30, whole(1ULL << 30)), 16);
}

TEST(BestClusterBits, AreTheLargestOfEquals) {
  // 32 MiB with data in one half of eight clusters of 1 KiB. At 512: 1 + 16 + 1 + 1 + 1 + 8 clusters are
  // 14 KiB; at 1024: 1 + 2 + 1 + 1 + 1 + 8 are 14 KiB; at 2048: 1 + 1 + 1 + 1 + 1 + 4 are 18 KiB.
  std::vector<Extent> extents;
  for (std::uint64_t i = 0; i < 8; ++i) extents.push_back({i * kKiB, 512});
  EXPECT_EQ(best_cluster_bits(32 * kMiB, extents), 10);
}

TEST(BestClusterBits, MakeTheSmallestImage) {
  const auto size_at = [](std::uint32_t bits, const std::vector<Extent>& extents) {
    return plan_layout(Geometry{bits}, kMiB, count_clusters(extents, Geometry{bits})).end();
  };
  Random random;
  for (int round = 0; round < 300; ++round) {
    const auto extents = random.extents(kMiB, random.between(1, 200'000), random.between(1, 200'000));
    const std::uint32_t best = best_cluster_bits(kMiB, extents);
    for (std::uint32_t bits = 9; bits <= 21; ++bits)
      ASSERT_LE(size_at(best, extents), size_at(bits, extents)) << bits;
  }
}

TEST(BestClusterBits, StayWithinQemusLimitOnTheL1Table) {
  const std::vector<Extent> scattered{{0, kKiB}, {100 * kMiB, kKiB}};
  for (const std::uint64_t disk_size : {kTiB / 8 + 1, kTiB, 8 * kTiB, 8 * kTiB + 1, 64 * kTiB, 2048 * kTiB}) {
    const std::uint32_t bits = best_cluster_bits(disk_size, scattered);
    EXPECT_LE(disk_size, 1ULL << (2 * bits + 19)) << disk_size;
  }
}

TEST(BestClusterBits, WeighTheL1TableOfALargeDisk) {
  // 128 GiB with two clusters of data in two tables. At 8 KiB the L1 table takes 16 clusters, in all 23 of
  // 8 KiB; at 16 KiB it takes 2, in all 9 of 16 KiB; at 32 KiB 1, in all 7 of 32 KiB.
  EXPECT_EQ(best_cluster_bits(128ULL << 30, std::vector<Extent>{{0, kKiB}, {100 * kMiB, kKiB}}), 14);
}

TEST(BestClusterBits, AreAtLeast14For64TiB) {
  EXPECT_GE(best_cluster_bits(64 * kTiB, std::vector<Extent>{{0, kKiB}}), 14);
  EXPECT_GE(best_cluster_bits(32 * kTiB, std::vector<Extent>{{0, kKiB}}), 13);
  EXPECT_GE(best_cluster_bits(32 * kTiB + 512, std::vector<Extent>{{0, kKiB}}), 14);
}

TEST(BestClusterBits, ServeADiskOfNothing) {
  EXPECT_EQ(best_cluster_bits(0, {}), 9);
}

TEST(UsualCompressedBits, AreThoseOf64KiB) {
  EXPECT_EQ(usual_compressed_bits(1ULL << 30, whole(1ULL << 30)), 16);
  EXPECT_EQ(usual_compressed_bits(8 * kTiB, whole(8 * kTiB)), 16);
  EXPECT_EQ(usual_compressed_bits(0, {}), 16);
}

TEST(UsualCompressedBits, AreThoseOf64KiBIfAllTablesTakeLessThan16MiB) {
  EXPECT_EQ(usual_compressed_bits(kTiB, scattered(200)), 16);  // 200 tables of 64 KiB are 12.5 MiB
}

TEST(UsualCompressedBits, AreSmallForAHugeDiskWithLittleOnIt) {
  // 16384 tables: 1 GiB of 64 KiB, 64 MiB of 4 KiB. The L1 table takes 32 MiB at 4 KiB and 8 MiB at 8 KiB.
  EXPECT_EQ(usual_compressed_bits(8 * kTiB, scattered(16384)), 12);
}

TEST(UsualCompressedBits, StayWithinQemusLimitOnTheL1Table) {
  EXPECT_EQ(usual_compressed_bits(8 * kTiB + 512, scattered(16384)), 13);
  EXPECT_EQ(usual_compressed_bits(2048 * kTiB, whole(2048 * kTiB)), 16);
  EXPECT_EQ(usual_compressed_bits(2048 * kTiB + 512, whole(kTiB)), 17);
  EXPECT_EQ(usual_compressed_bits(2048 * kTiB + 512, scattered(1)), 17);
}

TEST(BestCompressedBits, AreThoseOfTheSmallestImage) {
  for (std::uint32_t smallest = 9; smallest <= 21; ++smallest) {
    const auto weigh = [&](const Layout& layout) {
      return layout.geometry.cluster_bits == smallest ? 512 * kMiB : 600 * kMiB;
    };
    EXPECT_EQ(best_compressed_bits(kMiB, whole(kMiB), weigh), smallest);
  }
}

TEST(BestCompressedBits, AreTheLargestOfEquals) {
  EXPECT_EQ(best_compressed_bits(kMiB, whole(kMiB), [](const Layout&) { return 512 * kMiB; }), 21);
}

TEST(BestCompressedBits, AreNotWeighedIfTheTablesAloneAreLarger) {
  std::vector<std::uint32_t> weighed;
  best_compressed_bits(8 * kTiB, scattered(16384), [&](const Layout& layout) {
    weighed.push_back(layout.geometry.cluster_bits);
    return kMiB;  // less than any table region
  });
  EXPECT_EQ(weighed, std::vector<std::uint32_t>{21});
}

TEST(BestCompressedBits, AreOnlyThoseThatQemuOpens) {
  best_compressed_bits(64 * kTiB, scattered(1), [](const Layout& layout) {
    EXPECT_GE(layout.geometry.cluster_bits, 14);
    return ~0ULL - layout.geometry.cluster_bits;
  });
}

}  // namespace
}  // namespace e2qcow::qcow2
