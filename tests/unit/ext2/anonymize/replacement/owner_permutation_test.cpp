// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/replacement/owner_permutation.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/test_secret.h"

namespace e2qcow::ext2 {
namespace {

const OwnerPermutation kOwners(test_secret());

TEST(OwnerPermutation, KeepsRootAndWhatIsNoOwner) {
  EXPECT_EQ(kOwners(0), 0);
  EXPECT_EQ(kOwners(0xffff'ffff), 0xffff'ffff);
}

TEST(OwnerPermutation, GivesDifferentIdsDifferentOnesOfAsManyBytes) {
  std::set<std::uint32_t> found;
  std::size_t unchanged = 0;
  for (std::uint32_t id = 0; id < 0x10000; ++id) {
    found.insert(kOwners(id));
    if (kOwners(id) == id) ++unchanged;
  }
  EXPECT_EQ(found.size(), 0x10000);
  EXPECT_EQ(*found.rbegin(), 0xffff);
  EXPECT_LT(unchanged, 0x1000);
}

TEST(OwnerPermutation, KeepsWhichIdsBeginAlike) {
  EXPECT_EQ(kOwners(0x1234'5678) >> 8, kOwners(0x1234'5699) >> 8);
  EXPECT_NE(kOwners(0x1234'5678) >> 8, kOwners(0x1234'5778) >> 8);
}

TEST(OwnerPermutation, DependsOnTheKey) {
  const OwnerPermutation other(test_secret(1));
  std::size_t equal = 0;
  for (std::uint32_t id = 1000; id < 1100; ++id) equal += other(id) == kOwners(id) ? 1 : 0;
  EXPECT_LT(equal, 20);
}

}  // namespace
}  // namespace e2qcow::ext2
