// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace e2qcow {

// What is said between a process that freezes a file system and its watchdog, one byte each.
enum class FreezeWord : char {
  begins = 'f',  // to the watchdog, before the freeze: from now on the time runs
  ready = 'r',   // the answer
  ended = 't'    // to the watchdog: thawed, it may end
};

// The rest of the watchdog's life, in a process that was just forked: keeps these two descriptors, and
// nothing else, allocates nothing, and thaws the file system `limit` milliseconds after FreezeWord::begins,
// at the end of the socket, or by a signal.
[[noreturn]] void run_watchdog(int file_system, int socket, int limit);

}  // namespace e2qcow
