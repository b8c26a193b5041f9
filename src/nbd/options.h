// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <optional>

namespace e2qcow::nbd {

// How to deal with servers.
struct Options {
  std::optional<unsigned> connections{};  // absent: as many as are of use, where the server says they are
  std::chrono::seconds reconnect{30};     // for how long a lost connection is tried again
  std::chrono::seconds timeout{60};       // for a reply
};

}  // namespace e2qcow::nbd
