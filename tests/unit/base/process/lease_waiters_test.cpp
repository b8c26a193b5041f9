// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process/lease_waiters.h"

#include <gtest/gtest.h>

namespace e2qcow {
namespace {

using Processes = std::vector<pid_t>;

// As Linux 6.1 prints them.
constexpr const char* kLocks = R"(1: LEASE  BREAKING  UNLCK 70 fe:00:1234 0 EOF
1: -> LEASE  BREAKER   WRITE 81 <none>:0 0 EOF
1: -> LEASE  BREAKER   WRITE 82 <none>:0 0 EOF
2: LEASE  BREAKING  UNLCK 71 fe:00:1234 0 EOF
2: -> LEASE  BREAKER   WRITE 83 <none>:0 0 EOF
3: POSIX  ADVISORY  WRITE 70 fe:00:1234 0 EOF
3: -> POSIX  ADVISORY  WRITE 84 fe:00:1234 0 EOF
4: LEASE  ACTIVE    READ 70 fe:00:99 0 EOF
5: LEASE  BREAKING  UNLCK 70 fe:00:34 0 EOF
5: -> LEASE  BREAKER   WRITE 85 <none>:0 0 EOF
)";

TEST(LeaseWaiters, AreFoundUnderAllLeasesOnTheFile) {
  EXPECT_EQ(lease_waiters(kLocks, 70, 1234), (Processes{81, 82, 83}));
  EXPECT_EQ(lease_waiters(kLocks, 70, 34), Processes{85});
  EXPECT_EQ(lease_waiters(kLocks, 70, 99), Processes{});
  EXPECT_EQ(lease_waiters(kLocks, 72, 1234), Processes{});
}

TEST(LeaseWaiters, MayBeInATextThatIsCutShort) {
  const std::string locks = kLocks;
  for (std::size_t length = 0; length < locks.size(); ++length)
    EXPECT_LE(lease_waiters(locks.substr(0, length), 70, 1234).size(), 3U);
}

}  // namespace
}  // namespace e2qcow
