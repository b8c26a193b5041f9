// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process/stop_signals.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

#include "base/stop.h"
#include "tests/support/errors.h"

namespace e2qcow {
namespace {

// A stop cannot be taken back: each test is a process of its own.
class StopSignalsDeathTest : public testing::Test {
 protected:
  StopSignalsDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

bool is_stopped() {
  return code_of(throw_if_stopped) == Errc::interrupted;
}

void raise_once_and_exit(int number) {
  stop_on_signals();
  const bool before = is_stopped();
  std::raise(number);
  std::_Exit(!before && is_stopped() ? 0 : 1);
}

TEST_F(StopSignalsDeathTest, AskForAnOrderlyEnd) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP})
    EXPECT_EXIT(raise_once_and_exit(number), testing::ExitedWithCode(0), "") << number;
}

void raise_and_end_by_it(int number) {
  stop_on_signals();
  std::raise(number);
  end_by_stop_signal();
}

TEST_F(StopSignalsDeathTest, EndTheProgramAsItsParentExpects) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP})
    EXPECT_EXIT(raise_and_end_by_it(number), testing::KilledBySignal(number), "") << number;
}

void raise_twice(int number) {
  stop_on_signals();
  std::raise(number);
  std::raise(number);
}

TEST_F(StopSignalsDeathTest, EndTheProgramTheSecondTime) {
  EXPECT_EXIT(raise_twice(SIGTERM), testing::KilledBySignal(SIGTERM), "");
}

void raise_ignored_and_exit() {
  std::signal(SIGHUP, SIG_IGN);
  stop_on_signals();
  std::raise(SIGHUP);
  std::_Exit(is_stopped() ? 1 : 0);
}

TEST_F(StopSignalsDeathTest, StayIgnoredIfTheyWere) {
  EXPECT_EXIT(raise_ignored_and_exit(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace e2qcow
