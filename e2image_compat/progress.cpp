// SPDX-License-Identifier: GPL-2.0-or-later
#include "e2image_compat/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

namespace e2qcow::compat {
namespace {

constexpr std::int64_t kFirstEstimate = 5;  // seconds

int percent(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return 0;
  return static_cast<int>(std::lround(100.0 * static_cast<double>(part) / static_cast<double>(whole)));
}

// As strftime() has it: without days.
std::string clock_text(std::int64_t seconds) {
  return fmt::format("{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
}

double mebibytes_per_second(std::uint64_t blocks, std::uint32_t block_size, std::int64_t seconds) {
  return static_cast<double>(blocks) * block_size / (1024.0 * 1024.0) / static_cast<double>(seconds);
}

}  // namespace

std::int64_t CopyProgress::seconds_since_start() const {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - started_)
      .count();
}

void CopyProgress::start(std::uint64_t total_blocks) {
  total_blocks_ = total_blocks;
  started_ = std::chrono::steady_clock::now();
  resume();
}

void CopyProgress::resume() {
  std::fputs("Copying ", stderr);
  printed_ = 0;
  print_position();
}

void CopyProgress::print_position() {
  for (; printed_ > 0; --printed_) std::fputc('\b', stderr);
  const auto copied = static_cast<unsigned long long>(copied_blocks());
  const auto total = static_cast<unsigned long long>(total_blocks_);
  printed_ = std::fprintf(stderr, "%llu / %llu blocks (%d%%)", copied, total,
                          percent(copied_blocks(), total_blocks_));
}

void CopyProgress::advance(std::uint64_t bytes) {
  copied_bytes_ += bytes;
  const std::int64_t seconds = seconds_since_start();
  if (seconds == updated_) return;
  updated_ = seconds;
  print_position();
  if (seconds <= kFirstEstimate || copied_blocks() == 0) return;
  const auto whole =
      static_cast<std::int64_t>(static_cast<std::uint64_t>(seconds) * total_blocks_ / copied_blocks());
  printed_ += std::fprintf(stderr, " %s remaining at %.2f MB/s",
                           clock_text(std::max<std::int64_t>(0, whole - seconds)).c_str(),
                           mebibytes_per_second(copied_blocks(), block_size_, seconds));
}

void CopyProgress::finish(std::uint64_t copied_blocks) {
  const std::int64_t seconds = seconds_since_start();
  std::fprintf(stderr, "\rCopied %llu / %llu blocks (%d%%) in %s ",
               static_cast<unsigned long long>(copied_blocks), static_cast<unsigned long long>(total_blocks_),
               percent(copied_blocks, total_blocks_), clock_text(seconds).c_str());
  if (seconds != 0)
    std::fprintf(stderr, "at %.2f MB/s", mebibytes_per_second(copied_blocks, block_size_, seconds));
  std::fputs("       \n", stderr);
}

}  // namespace e2qcow::compat
