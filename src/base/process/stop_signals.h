// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace e2qcow {

// From now on SIGINT, SIGTERM and SIGHUP request a stop (stop.h), and a second one ends the program at once.
// Signals that are ignored, as under nohup, stay ignored. Once, before threads are started.
void stop_on_signals();

// The signal that requested the stop.
int stop_signal();

// Ends the program by the signal that requested the stop, so that its parent sees that: a shell then ends its
// loop. Everything must be tidied up.
[[noreturn]] void end_by_stop_signal();

}  // namespace e2qcow
