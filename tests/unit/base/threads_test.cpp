// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <stdexcept>

namespace e2qcow {
namespace {

class RunThreads : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Counts, RunThreads, testing::Values(1, 2, 5));

TEST_P(RunThreads, DoesTheWorkInAsManyThreadsAsItIsTold) {
  std::atomic<unsigned> calls{0};
  std::latch all(GetParam());
  run_threads(
      GetParam(),
      [&] {
        ++calls;
        all.arrive_and_wait();
      },
      [] { FAIL(); });
  EXPECT_EQ(calls, GetParam());
}

TEST_P(RunThreads, StopsTheOthersAfterAnExceptionAndThrowsTheFirst) {
  std::atomic<unsigned> calls{0};
  std::latch stopped(1);
  const auto work = [&] {
    if (calls++ == 0) throw std::runtime_error("first");
    stopped.wait();
    throw std::runtime_error("later");
  };
  try {
    run_threads(GetParam(), work, [&] {
      if (!stopped.try_wait()) stopped.count_down();
    });
    ADD_FAILURE() << "did not throw";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "first");
  }
}

TEST(RunThreads, DoesTheWorkOnceIfItIsToldNoThreads) {
  unsigned calls = 0;
  run_threads(
      0, [&] { ++calls; }, [] {});
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace e2qcow
