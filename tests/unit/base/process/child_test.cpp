// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process/child.h"

#include <gtest/gtest.h>

namespace e2qcow {
namespace {

int status_of(const std::string& script) {
  return run_child({"sh", "-c", script}, {{"E2QCOW_TEST_VARIABLE", "a value"}}).status;
}

TEST(RunChild, ReturnsTheExitStatusAsShellsDo) {
  EXPECT_EQ(status_of("exit 0"), 0);
  EXPECT_EQ(status_of("exit 12"), 12);
  EXPECT_EQ(status_of("kill -KILL $$"), 137);
}

TEST(RunChild, AddsToTheEnvironment) {
  EXPECT_EQ(status_of("test \"$E2QCOW_TEST_VARIABLE\" = 'a value'"), 0);
}

TEST(RunChild, SaysWhyAProgramCouldNotBeStarted) {
  const ChildEnd missing = run_child({"e2qcow-no-such-program"}, {});
  EXPECT_EQ(missing.status, 127);
  EXPECT_EQ(missing.why, "e2qcow-no-such-program: No such file or directory");
  EXPECT_EQ(run_child({"/"}, {}).status, 126);
}

TEST(RunChild, SaysWhichSignalEndedAProgram) {
  EXPECT_EQ(run_child({"sh", "-c", "kill -KILL $$"}, {}).why, "sh was ended by signal 9 (Killed)");
  EXPECT_EQ(run_child({"sh", "-c", "kill -INT $$"}, {}).why, "");
  EXPECT_EQ(run_child({"sh", "-c", "exit 137"}, {}).why, "");
}

TEST(RunChild, LeavesNoSignalIgnored) {
  EXPECT_EQ(status_of("kill -PIPE $$"), 141);
  EXPECT_EQ(status_of("kill -INT $$"), 130);
}

}  // namespace
}  // namespace e2qcow
