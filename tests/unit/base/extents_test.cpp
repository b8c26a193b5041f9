// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/extents.h"

#include <gtest/gtest.h>

namespace e2qcow {
namespace {

using Extents = std::vector<Extent>;

const Extents kThree{{10, 5}, {20, 5}, {30, 5}};

TEST(Extents, OverlapIfTheyShareAByte) {
  EXPECT_TRUE(overlaps({0, 10}, {9, 1}));
  EXPECT_TRUE(overlaps({9, 1}, {0, 10}));
  EXPECT_TRUE(overlaps({0, 10}, {3, 4}));
  EXPECT_FALSE(overlaps({0, 10}, {10, 1}));
  EXPECT_FALSE(overlaps({10, 1}, {0, 10}));
  EXPECT_FALSE(overlaps({5, 0}, {5, 1}));
}

TEST(Extents, HaveACommonPartIfTheyOverlap) {
  EXPECT_EQ(common_part({0, 10}, {5, 20}), (Extent{5, 5}));
  EXPECT_EQ(common_part({5, 20}, {0, 10}), (Extent{5, 5}));
  EXPECT_EQ(common_part({0, 10}, {2, 3}), (Extent{2, 3}));
  EXPECT_TRUE(common_part({0, 10}, {10, 5}).empty());
  EXPECT_TRUE(common_part({0, 10}, {50, 5}).empty());
}

TEST(Extents, HaveATotalLength) {
  EXPECT_EQ(total_length({}), 0);
  EXPECT_EQ(total_length(kThree), 15);
}

TEST(Extents, AreJoinedWithTheLastIfTheyTouchOrOverlapIt) {
  Extents extents;
  add_joined(extents, {10, 5});
  add_joined(extents, {15, 5});
  EXPECT_EQ(extents, (Extents{{10, 10}}));
  add_joined(extents, {12, 4});
  EXPECT_EQ(extents, (Extents{{10, 10}}));
  add_joined(extents, {18, 4});
  EXPECT_EQ(extents, (Extents{{10, 12}}));
  add_joined(extents, {23, 1});
  EXPECT_EQ(extents, (Extents{{10, 12}, {23, 1}}));
}

TEST(Extents, AreSortedBeforeTheyAreJoined) {
  EXPECT_EQ(sorted_and_joined({{30, 5}, {10, 5}, {33, 9}, {15, 1}}), (Extents{{10, 6}, {30, 12}}));
  EXPECT_EQ(sorted_and_joined({}), Extents{});
}

TEST(Extents, AreFoundByIfTheyEnd) {
  EXPECT_EQ(from_first_after(kThree, 0).size(), 3);
  EXPECT_EQ(from_first_after(kThree, 14).size(), 3);
  EXPECT_EQ(from_first_after(kThree, 15).size(), 2);
  EXPECT_EQ(from_first_after(kThree, 34).size(), 1);
  EXPECT_TRUE(from_first_after(kThree, 35).empty());
}

TEST(Extents, OverlapARangeThatOneOfThemOverlaps) {
  EXPECT_FALSE(any_overlaps(kThree, {0, 10}));
  EXPECT_TRUE(any_overlaps(kThree, {0, 11}));
  EXPECT_TRUE(any_overlaps(kThree, {14, 1}));
  EXPECT_FALSE(any_overlaps(kThree, {15, 5}));
  EXPECT_TRUE(any_overlaps(kThree, {15, 6}));
  EXPECT_FALSE(any_overlaps(kThree, {35, 100}));
}

TEST(Extents, HavePartsInsideAndOutsideOfOthers) {
  const Extents others{{12, 2}, {20, 10}, {34, 100}};
  EXPECT_EQ(without(Extents{{10, 5}, {18, 20}}, others), (Extents{{10, 2}, {14, 1}, {18, 2}, {30, 4}}));
  EXPECT_EQ(inside(Extents{{10, 5}, {18, 20}}, others), (Extents{{12, 2}, {20, 10}, {34, 4}}));
  EXPECT_EQ(without(kThree, {}), Extents(kThree.begin(), kThree.end()));
  EXPECT_EQ(inside(kThree, {}), Extents{});
  EXPECT_EQ(without(kThree, Extents{{0, 1000}}), Extents{});
}

}  // namespace
}  // namespace e2qcow
