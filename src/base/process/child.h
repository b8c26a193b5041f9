// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace e2qcow {

// Runs another program to its end, with variables added to its environment, and returns its exit status as
// shells do: 128 and the number of the signal that ended it; 127 or 126 if it could not be started. `why` has
// the signal, or the reason. SIGTERM and SIGHUP sent to us are passed on to it; SIGINT and SIGQUIT reach it
// from the terminal and are left to it.
struct ChildEnd {
  int status = 0;
  std::string why{};
  bool was_started = true;
};
ChildEnd run_child(const std::vector<std::string>& words,
                   const std::vector<std::pair<std::string, std::string>>& variables);

// Our own number.
int process_id();

}  // namespace e2qcow
