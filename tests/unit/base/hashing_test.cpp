// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/hashing.h"

#include <gtest/gtest.h>

namespace e2qcow {
namespace {

// The first numbers of SplitMix64 from 0, as in the reference at prng.di.unimi.it
TEST(NextNumber, IsThatOfSplitMix64) {
  std::uint64_t state = 0;
  EXPECT_EQ(next_number(state), 0xe220a8397b1dcdafU);
  EXPECT_EQ(next_number(state), 0x6e789e6aa1b965f4U);
  EXPECT_EQ(next_number(state), 0x06c45d188009454fU);
}

TEST(CombinedHash, DependsOnTheOrder) {
  EXPECT_NE(combined_hash(1, 2), combined_hash(2, 1));
  EXPECT_NE(combined_hash(0, 0), combined_hash(0, 1));
  EXPECT_NE(combined_hash(0, 0), combined_hash(1, 0));
}

}  // namespace
}  // namespace e2qcow
