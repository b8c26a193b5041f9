// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/check/cluster_usage.h"

#include <gtest/gtest.h>

namespace e2qcow::qcow2 {
namespace {

TEST(ClusterUsage, KnowsNothingAtFirst) {
  const ClusterUsage map;
  EXPECT_EQ(map.use(5), ClusterUse::none);
  EXPECT_EQ(map.references(5), 0);
  EXPECT_FALSE(map.refcount_is_one(5));
  EXPECT_FALSE(map.knows_page_of(5));
  EXPECT_TRUE(map.pages().empty());
}

TEST(ClusterUsage, KeepsTheUsesThatAreSet) {
  ClusterUsage map;
  map.set_use(5, ClusterUse::data);
  map.add_references(5, 3);
  map.set_refcount_is_one(5);
  EXPECT_EQ(map.use(5), ClusterUse::data);
  EXPECT_EQ(map.references(5), 3);
  EXPECT_TRUE(map.refcount_is_one(5));
  EXPECT_EQ(map.references(6), 0);
}

TEST(ClusterUsage, CountsAnyNumberOfReferences) {
  ClusterUsage map;
  std::uint64_t expected = 0;
  for (const std::uint64_t count : {2045ULL, 1ULL, 1ULL, 1ULL, 1ULL << 40}) {
    map.add_references(7, count);
    expected += count;
    EXPECT_EQ(map.references(7), expected);
  }
}

TEST(ClusterUsage, TakesMemoryForTheClustersThatAreUsed) {
  ClusterUsage map;
  map.add_references(1ULL << 54, 1);
  map.add_references(100, 1);
  EXPECT_EQ(map.pages(), (std::vector<std::uint64_t>{64, 1ULL << 54}));
  EXPECT_TRUE(map.knows_page_of(127));
  EXPECT_FALSE(map.knows_page_of(128));
}

}  // namespace
}  // namespace e2qcow::qcow2
