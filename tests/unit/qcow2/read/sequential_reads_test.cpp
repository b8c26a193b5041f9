// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/sequential_reads.h"

#include <gtest/gtest.h>

#include <thread>

namespace e2qcow::qcow2 {
namespace {

using Units = SequentialReads::Units;
constexpr Units kNothing{};

TEST(SequentialReads, AsksForNothingWhileReadsJump) {
  SequentialReads reads(8);
  for (const std::uint64_t unit : {100, 50, 200, 199, 300})
    EXPECT_EQ(reads.after_read(unit).count, 0U) << unit;
}

TEST(SequentialReads, AsksForMoreTheMoreStepsItSaw) {
  SequentialReads reads(8);
  EXPECT_EQ(reads.after_read(10), kNothing);
  EXPECT_EQ(reads.after_read(11), kNothing);
  EXPECT_EQ(reads.after_read(12), (Units{13, 1}));
  EXPECT_EQ(reads.after_read(13), (Units{14, 2}));
}

TEST(SequentialReads, CountsSeveralReadsOfAUnitAsOne) {
  SequentialReads reads(8);
  for (const std::uint64_t unit : {10, 10, 11, 11, 11}) EXPECT_EQ(reads.after_read(unit), kNothing);
  EXPECT_EQ(reads.after_read(12), (Units{13, 1}));
  EXPECT_EQ(reads.after_read(12), kNothing);
}

// What is asked for during a sequential read from 1 to 100, as {unit that was read, units asked for}.
std::vector<std::pair<std::uint64_t, Units>> asked_for(SequentialReads& reads) {
  std::vector<std::pair<std::uint64_t, Units>> asked;
  for (std::uint64_t unit = 1; unit <= 100; ++unit) {
    const Units units = reads.after_read(unit);
    if (units.count > 0) asked.emplace_back(unit, units);
  }
  return asked;
}

TEST(SequentialReads, AsksForEachUnitOnceAndInOrder) {
  SequentialReads reads(8);
  std::uint64_t next = 3;
  for (const auto& [unit, units] : asked_for(reads)) {
    EXPECT_EQ(units.first, next) << unit;
    next += units.count;
  }
  EXPECT_GT(next, 100U);
}

TEST(SequentialReads, IsNeverFurtherAheadThanItsLimitAndAsksForHalfOfItAtOnce) {
  SequentialReads reads(8);
  for (const auto& [unit, units] : asked_for(reads)) {
    EXPECT_LE(units.first + units.count, unit + 8) << unit;
    EXPECT_TRUE(units.count == 4 || unit <= 16) << unit;
  }
}

TEST(SequentialReads, StartsAgainAfterAJump) {
  SequentialReads reads(8);
  asked_for(reads);
  EXPECT_EQ(reads.after_read(500), kNothing);
  EXPECT_EQ(reads.after_read(501), kNothing);
  EXPECT_EQ(reads.after_read(502), (Units{503, 1}));
}

TEST(SequentialReads, KeepsItsLimitFromSeveralThreads) {
  SequentialReads reads(8);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&reads] {
      for (std::uint64_t unit = 0; unit < 1000; ++unit) EXPECT_LE(reads.after_read(unit).count, 8U);
    });
}

}  // namespace
}  // namespace e2qcow::qcow2
