// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/message.h"
#include "cli/sizes.h"

namespace e2qcow::cli {
namespace {

using namespace std::chrono_literals;
constexpr auto kRedraw = 100ms;
constexpr auto kJsonLine = 1s;
constexpr std::size_t kBarWidth = 24;

// Of the terminal on standard error; if there is none, as if it were wide.
std::size_t terminal_width() {
  winsize size{};
  const bool is_known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return is_known ? size.ws_col : 120;
}

std::string time_left(double seconds) {
  if (seconds < 0 || seconds > 360'000) return "-:--";
  const auto whole = static_cast<unsigned>(seconds);
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

ProgressReport::~ProgressReport() {
  wipe();
}

void ProgressReport::wipe() {
  if (width_ > 0) say("\r{:{}}\r", "", width_);
  width_ = 0;
}

void ProgressReport::begin(std::string_view phase, std::uint64_t total_bytes) {
  const std::scoped_lock lock(mutex_);
  phase_ = phase;
  total_ = total_bytes;
  done_ = 0;
  started_ = reported_ = Clock::now();
}

void ProgressReport::advance(std::uint64_t bytes) {
  const std::scoped_lock lock(mutex_);
  done_ += bytes;
  const auto now = Clock::now();
  if (now - reported_ < (json_ ? Clock::duration(kJsonLine) : Clock::duration(kRedraw))) return;
  reported_ = now;
  report(now);
}

void ProgressReport::report(Clock::time_point now) {
  const double seconds = std::chrono::duration<double>(now - started_).count();
  const double rate = static_cast<double>(done_) / std::max(seconds, 1e-9);
  const double part =
      total_ == 0 ? 1.0 : std::min(1.0, static_cast<double>(done_) / static_cast<double>(total_));
  if (json_) {
    const nlohmann::ordered_json line{
        {"phase", phase_}, {"done", done_}, {"total", total_}, {"seconds", std::round(seconds * 10) / 10}};
    say("{}\n", line.dump());
    return;
  }
  const auto filled = static_cast<std::size_t>(part * kBarWidth);
  const std::string head = fmt::format("{:<8}", phase_);
  const std::string bar = fmt::format(" [{:=<{}}{:{}}]", "", filled, "", kBarWidth - filled);
  const std::string percent = fmt::format(" {:3.0f} %", part * 100);
  const std::string rest =
      fmt::format("  {}/s  {} left", human_size(static_cast<std::uint64_t>(rate)),
                  time_left((1 - part) * static_cast<double>(total_) / std::max(rate, 1.0)));
  std::string line = head + bar + percent + rest;
  const std::size_t room = terminal_width() - 1;  // a full line would wrap
  if (line.size() > room) line = head + percent + rest;
  if (line.size() > room) line = head + percent;
  line.resize(std::min(line.size(), room));
  say("\r{:{}}", line, std::min(width_, room));
  std::fflush(stderr);
  width_ = line.size();
}

std::unique_ptr<ProgressReport> make_progress(ProgressMode mode, bool quiet) {
  if (mode == ProgressMode::json) return std::make_unique<ProgressReport>(true);
  const bool shown =
      mode == ProgressMode::always || (mode == ProgressMode::automatic && ::isatty(STDERR_FILENO) == 1);
  if (!shown || quiet) return nullptr;
  return std::make_unique<ProgressReport>(false);
}

}  // namespace e2qcow::cli
