// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace e2qcow {

// The addresses of a host as a URI has them, numbers in any case: "192.0.2.1", "[2001:db8::1]". Throws
// Errc::connection_lost if there are none, or not until then; as throw_if_stopped() does, without waiting for
// a name server that does not answer.
std::vector<std::string> addresses_of_host(const std::string& host,
                                           std::chrono::steady_clock::time_point until);

}  // namespace e2qcow
