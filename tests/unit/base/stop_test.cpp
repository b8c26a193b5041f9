// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/stop.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include "tests/support/errors.h"

namespace e2qcow {
namespace {

TEST(Stop, DoesNothingWithoutARequest) {
  EXPECT_NO_THROW(throw_if_stopped());
}

// A request cannot be taken back: it is made in a process of its own.
TEST(StopDeathTest, ThrowsOnceItWasRequested) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto stop = [] {
    request_stop();
    const bool first = code_of(throw_if_stopped) == Errc::interrupted;
    const bool again = code_of(throw_if_stopped) == Errc::interrupted;
    std::_Exit(first && again ? 0 : 1);
  };
  EXPECT_EXIT(stop(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace e2qcow
