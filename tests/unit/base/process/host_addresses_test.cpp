// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process/host_addresses.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include "tests/support/errors.h"

namespace e2qcow {
namespace {

std::chrono::steady_clock::time_point soon() {
  return std::chrono::steady_clock::now() + std::chrono::seconds(60);
}

TEST(HostAddresses, AreNumbersAsUrisHaveThem) {
  EXPECT_EQ(addresses_of_host("127.0.0.1", soon()), std::vector<std::string>{"127.0.0.1"});
  EXPECT_EQ(addresses_of_host("::1", soon()), std::vector<std::string>{"[::1]"});
}

TEST(HostAddresses, AHostWithoutAnyIsAnError) {
  EXPECT_EQ(code_of([] { addresses_of_host("no-such-host.invalid", soon()); }), Errc::connection_lost);
}

TEST(HostAddresses, AreNotWaitedForLongerThanWanted) {
  EXPECT_EQ(code_of([] { addresses_of_host("localhost", {}); }), Errc::connection_lost);
}

}  // namespace
}  // namespace e2qcow
