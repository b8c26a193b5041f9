// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace e2qcow {

// From now on SIGINT, SIGTERM and SIGHUP request a stop (stop.h), and a second one ends the program at once.
// Signals that are ignored, as under nohup, stay ignored. Once, before threads are started.
void stop_on_signals();

// The signal that came last; SIGINT if none has come.
int last_stop_signal();

}  // namespace e2qcow
