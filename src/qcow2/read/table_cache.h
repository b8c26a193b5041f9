// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace e2qcow::qcow2 {

// Reads table entries from an image and keeps the most recently used pages. Safe from several threads.
class TableCache {
 public:
  explicit TableCache(const ReadableFile& file) : file_(file) {}

  static constexpr std::uint64_t kPageBytes = 4096;
  using Page = std::vector<std::uint64_t>;  // as stored on disk

  // The page of `bytes`, at most kPageBytes, that begins at `host_offset`. All pages of an image have one
  // size.
  std::shared_ptr<const Page> page(std::uint64_t host_offset, std::uint64_t bytes) const;

 private:
  struct Slot {
    std::uint64_t host_offset = 0;
    std::shared_ptr<const Page> page;
  };

  const ReadableFile& file_;
  mutable std::mutex mutex_;  // guards slots_
  mutable std::array<Slot, 1024> slots_;
};

}  // namespace e2qcow::qcow2
