// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

namespace e2qcow::cli {

enum class ProgressMode { automatic, always, never, json };

// Shows progress on standard error: a bar that is redrawn in place, or JSON lines.
class ProgressReport : public Progress {
 public:
  explicit ProgressReport(bool json) : json_(json) {}
  ~ProgressReport() override;  // wipes the bar

  void begin(std::string_view phase, std::uint64_t total_bytes) override;
  void advance(std::uint64_t bytes) override;

 private:
  using Clock = std::chrono::steady_clock;
  void report(Clock::time_point now);
  void wipe();

  const bool json_;
  std::mutex mutex_;  // guards the members below
  std::string phase_;
  std::uint64_t total_ = 0;
  std::uint64_t done_ = 0;
  Clock::time_point started_;
  Clock::time_point reported_;
  std::size_t width_ = 0;  // of what is drawn now
};

// Null if nothing is to be shown.
std::unique_ptr<ProgressReport> make_progress(ProgressMode mode, bool quiet);

}  // namespace e2qcow::cli
