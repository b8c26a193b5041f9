// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <chrono>
#include <cstdint>

namespace e2qcow::compat {

// Shows the progress of a copy on standard error, in the form that GParted reads.
class CopyProgress : public Progress {
 public:
  explicit CopyProgress(std::uint32_t block_size) : block_size_(block_size) {}

  // "Copying 0 / TOTAL blocks (0%)". `total_blocks` is what e2image counts.
  void start(std::uint64_t total_blocks);
  // Again, after other output.
  void resume();
  void finish(std::uint64_t copied_blocks);

  void begin(std::string_view, std::uint64_t) override {}
  // Prints at most once a second.
  void advance(std::uint64_t bytes) override;

 private:
  std::uint64_t copied_blocks() const { return copied_bytes_ / block_size_; }
  std::int64_t seconds_since_start() const;
  void print_position();

  std::uint32_t block_size_;
  std::uint64_t total_blocks_ = 0;
  std::uint64_t copied_bytes_ = 0;
  int printed_ = 0;  // characters that the next update replaces
  std::chrono::steady_clock::time_point started_;
  std::int64_t updated_ = 0;  // seconds after that
};

}  // namespace e2qcow::compat
