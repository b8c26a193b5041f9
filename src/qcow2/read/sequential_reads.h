// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <mutex>

namespace e2qcow::qcow2 {

// Decides what to decompress ahead of sequential reads, in units of the cache.
//
// After n steps from one unit to the next, the window is n units wide: the one that was read and those after
// it. It grows step by step because two bitmaps side by side do not mean that the inode table after them will
// be read. The next units are requested only when at most half of the window is left, because waking the
// thread takes longer than decompressing a small unit. A jump starts again from zero.
//
// Safe from several threads; their reads count as one sequence.
class SequentialReads {
 public:
  explicit SequentialReads(std::uint64_t max_window) : max_window_(max_window) {}

  struct Units {
    std::uint64_t first = 0;
    std::uint64_t count = 0;  // 0: nothing to load
    friend bool operator==(const Units&, const Units&) = default;
  };
  // The units to load now that `unit` was read. The same unit again changes nothing.
  Units after_read(std::uint64_t unit);

 private:
  const std::uint64_t max_window_;
  std::mutex mutex_;  // guards the members below
  std::uint64_t last_unit_ = 0;
  std::uint64_t steps_ = 0;      // from one unit to the next, without a jump
  std::uint64_t asked_end_ = 0;  // units before it were already requested
};

}  // namespace e2qcow::qcow2
