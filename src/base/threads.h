// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <system_error>
#include <thread>
#include <vector>

namespace e2qcow {

// Starts up to `count` threads: where the system gives no more, the work is done by those that there are.
template <typename Work>
void start_threads(std::vector<std::jthread>& threads, unsigned count, Work work) {
  try {
    for (unsigned i = 0; i < count; ++i) threads.emplace_back(work);
  } catch (const std::system_error&) {
    return;
  }
}

}  // namespace e2qcow
