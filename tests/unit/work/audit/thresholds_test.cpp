// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/audit/thresholds.h"

#include <gtest/gtest.h>

namespace e2qcow::work {
namespace {

// `count` strings of each length, of small letters.
std::array<PrivateTexts::Bits, 256> strings(std::uint64_t count) {
  std::array<PrivateTexts::Bits, 256> by_bits{};
  for (std::size_t length = 1; length <= 40; ++length) by_bits[5 * length] = {count, length};
  return by_bits;
}

TEST(ThresholdOfAnAudit, IsWhereChanceBeginsToCount) {
  // 2^20 bytes and 2^-5 for each letter: 2^-10 for a string of 6 letters.
  EXPECT_EQ(threshold(strings(1), 1 << 20, 0.0011).length, 6);
  EXPECT_EQ(threshold(strings(1), 1 << 20, 0.0011).bits, 26);
  EXPECT_EQ(threshold(strings(1), 1 << 20, 0.0009).length, 7);
}

TEST(ThresholdOfAnAudit, GrowsWithTheNumberOfStringsAndBytes) {
  EXPECT_EQ(threshold(strings(1), 1 << 20, 0.001).length, 7);
  EXPECT_EQ(threshold(strings(1), 1 << 30, 0.001).length, 9);
  EXPECT_EQ(threshold(strings(1 << 20), 1 << 30, 0.001).length, 13);
}

TEST(ThresholdOfAnAudit, HasNoLengthIfNoStringIsLongEnough) {
  std::array<PrivateTexts::Bits, 256> by_bits{};
  by_bits[10] = {1, 2};
  EXPECT_EQ(threshold(by_bits, 1 << 20, 0.001).length, 0);
  EXPECT_EQ(threshold({}, 1 << 20, 0.001).length, 0);
}

}  // namespace
}  // namespace e2qcow::work
