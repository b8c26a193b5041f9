// SPDX-License-Identifier: GPL-2.0-or-later
#include "nbd/allocation.h"

#include <gtest/gtest.h>

namespace e2qcow::nbd {
namespace {

constexpr std::uint32_t kHole = 1;
constexpr std::uint32_t kZero = 2;

using Entries = std::vector<std::uint32_t>;

TEST(Allocation, ZerosAreNoDataAndHolesMayBeSome) {
  Allocation allocation;
  EXPECT_EQ(
      read_allocation(1000, Entries{10, 0, 20, kHole | kZero, 30, kHole, 40, kZero, 5, 0, 5, 0}, allocation),
      "");
  EXPECT_EQ(allocation.covered, (Extent{1000, 110}));
  EXPECT_EQ(allocation.data, (std::vector<Extent>{{1000, 10}, {1030, 30}, {1100, 10}}));
}

TEST(Allocation, AnswersWithoutSenseAreFaults) {
  Allocation allocation;
  EXPECT_EQ(read_allocation(7, Entries{3, 0, 0, 0}, allocation), "a range of no bytes at 10");
  EXPECT_EQ(read_allocation(7, Entries{}, allocation), "nothing");
  EXPECT_EQ(read_allocation(7, Entries{1}, allocation), "nothing");
}

TEST(Allocation, KeepsABoundedPartOfAnAnswer) {
  Entries many;
  for (std::uint32_t i = 0; i < (1U << 18); ++i) many.insert(many.end(), {1, i % 2 == 0 ? 0 : kZero});
  Allocation allocation;
  EXPECT_EQ(read_allocation(0, many, allocation), "");
  EXPECT_EQ(allocation.data.size(), 1U << 16);
  EXPECT_EQ(allocation.covered.end(), allocation.data.back().end());
}

TEST(KnownAllocation, FindsDataAndHowFarThereIsNone) {
  KnownAllocation known;
  EXPECT_FALSE(known.find(0));
  known.add({{100, 100}, {{120, 10}, {150, 10}}});
  EXPECT_FALSE(known.find(99));
  EXPECT_EQ(known.find(100)->data, (Extent{120, 10}));
  EXPECT_EQ(known.find(125)->data, (Extent{125, 5}));
  EXPECT_EQ(known.find(130)->data, (Extent{150, 10}));
  EXPECT_EQ(known.find(160)->data, std::nullopt);
  EXPECT_EQ(known.find(160)->until, 200U);
  EXPECT_FALSE(known.find(200));
  known.forget();
  EXPECT_FALSE(known.find(100));
}

TEST(KnownAllocation, KeepsTheLastAnswers) {
  KnownAllocation known;
  for (std::uint64_t i = 0; i < 17; ++i) known.add({{i * 10, 10}, {}});
  EXPECT_FALSE(known.find(5));
  EXPECT_TRUE(known.find(15));
  EXPECT_TRUE(known.find(165));
}

}  // namespace
}  // namespace e2qcow::nbd
