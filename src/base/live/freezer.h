// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <chrono>
#include <mutex>
#include <string>
#include <thread>

#include "base/unique_fd.h"

namespace e2qcow {

// Freezes a mounted file system for a while: nothing is written to it, and everything is on its disk. A
// process of its own, the watchdog, thaws it when the time is over or when this process has ended, however it
// ended; and this process thaws it when the watchdog has ended. Only if both are killed at once does it stay
// frozen.
class Freezer {
 public:
  using Milliseconds = std::chrono::milliseconds;

  // `directory` is anywhere in the file system. Starts the watchdog, so there must be no threads yet.
  Freezer(const std::string& directory, Milliseconds limit);
  // Thaws what is still frozen.
  ~Freezer();
  Freezer(const Freezer&) = delete;
  Freezer& operator=(const Freezer&) = delete;

  // The st_dev of what is in the file system.
  dev_t device() const { return device_; }

  // Returns false if somebody else has frozen it, who will have to thaw it. Throws if the watchdog does not
  // answer.
  bool freeze();

  enum class Thaw {
    in_time,
    too_early,  // the time was over, or somebody else thawed it
    left        // frozen by somebody else
  };
  Thaw thaw();
  // From freeze() to thaw(), or to when the time was over.
  Milliseconds duration() const { return duration_; }

 private:
  using Clock = std::chrono::steady_clock;
  void start_watchdog();
  void expect_answer() const;
  void watch_the_watchdog();
  void thaw_once();
  void dismiss_watchdog();

  const std::string directory_;
  const Milliseconds limit_;
  UniqueFd file_system_;
  dev_t device_ = 0;
  pid_t watchdog_ = -1;
  UniqueFd to_watchdog_;
  UniqueFd end_watch_;  // closing it ends the thread
  std::thread thread_;
  std::mutex mutex_;  // guards the members below
  bool is_frozen_ = false;
  bool was_too_early_ = false;
  bool is_others_ = false;
  Clock::time_point begin_;
  Milliseconds duration_{0};
};

}  // namespace e2qcow
