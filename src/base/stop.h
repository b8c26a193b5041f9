// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace e2qcow {

// A request to end the work at the next safe point, as from SIGINT. May be called from a signal handler.
void request_stop() noexcept;

// Makes waits end when a stop is requested. Call it once, before there are threads or signals.
void prepare_stop();

// Waits until `fd` can be read from or, with POLLOUT, written to. Throws as throw_if_stopped() does.
void wait_for(int fd, short events);

// Throws Errc::interrupted if a stop was requested. Loops over data call it once for each piece.
void throw_if_stopped();

}  // namespace e2qcow
