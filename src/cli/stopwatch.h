// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>

namespace e2qcow::cli {

// Runs from its construction on.
class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - started_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point started_ = Clock::now();
};

}  // namespace e2qcow::cli
