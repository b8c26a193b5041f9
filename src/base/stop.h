// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <span>

namespace e2qcow {

// A request to end the work at the next safe point, as from SIGINT. May be called from a signal handler.
void request_stop() noexcept;

// Makes waits end when a stop is requested. Call it once, before there are threads or signals.
void prepare_stop();

// Waits until `fd` can be read from or, with POLLOUT, written to. Throws as throw_if_stopped() does.
void wait_for(int fd, short events);

// A descriptor that is waited for together with others.
struct Waited {
  int fd;
  bool to_read = false;
  bool to_write = false;
  // Set: what it is ready for. Both, if it is broken.
  bool can_read = false;
  bool can_write = false;
};
// Waits until one of them is ready, or the time has come. Throws as throw_if_stopped() does.
void wait_for_any(std::span<Waited> waited, std::chrono::steady_clock::time_point until);

// Throws Errc::interrupted if a stop was requested. Loops over data call it once for each piece.
void throw_if_stopped();

}  // namespace e2qcow
