#pragma once

namespace e2qcow {

// A request to end the work at the next safe place, as from SIGINT. May be called from a signal handler.
void request_stop() noexcept;

// Throws Errc::interrupted once a stop was requested. Loops over data call it once for each piece.
void throw_if_stopped();

}  // namespace e2qcow
