// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace e2qcow {

// Starts up to `count` threads: if the system gives no more, the work is done by those that there are.
template <typename Work>
void start_threads(std::vector<std::jthread>& threads, unsigned count, Work work) {
  try {
    for (unsigned i = 0; i < count; ++i) threads.emplace_back(work);
  } catch (const std::system_error&) {
    return;
  }
}

// Calls `work` in this thread and up to `count` - 1 more, and waits for all of them. The first exception is
// thrown at the end. After an exception `stop` is called, for the other threads to end soon.
template <typename Work, typename Stop>
void run_threads(unsigned count, Work work, Stop stop) {
  std::mutex mutex;  // guards first
  std::exception_ptr first;
  const auto guarded_work = [&]() noexcept {
    try {
      work();
    } catch (...) {
      {
        const std::scoped_lock lock(mutex);
        if (!first) first = std::current_exception();
      }
      stop();
    }
  };
  {
    std::vector<std::jthread> others;
    start_threads(others, std::max(1U, count) - 1, guarded_work);
    guarded_work();
  }
  if (first) std::rethrow_exception(first);
}

}  // namespace e2qcow
