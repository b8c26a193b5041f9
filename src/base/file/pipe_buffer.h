// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/file/posix_file.h"

namespace e2qcow {

// Keeps the bytes read so far from a pipe: in memory, where zeros cost nothing, or in a temporary file if
// there are too many.
class PipeBuffer {
 public:
  explicit PipeBuffer(std::uint64_t memory_limit = 64 << 20) : memory_limit_(memory_limit) {}

  // Opens the temporary file while files may still be opened. If that fails, it is tried again when the file
  // is needed.
  void prepare_to_spill();

  void append(std::span<const std::byte> data);
  std::uint64_t size() const { return size_; }
  // The range is inside.
  void read(std::uint64_t offset, std::span<std::byte> out) const;

 private:
  static constexpr std::uint64_t kChunkBytes = 64 * 1024;
  using Chunk = std::vector<std::byte>;

  std::span<std::byte> room_in(std::uint64_t offset, std::size_t length);
  void spill();

  std::uint64_t memory_limit_;
  std::uint64_t memory_used_ = 0;
  std::uint64_t size_ = 0;
  std::vector<std::unique_ptr<Chunk>> chunks_;  // null: zeros
  std::unique_ptr<PosixFile> spare_;            // to become file_
  std::unique_ptr<PosixFile> file_;             // then chunks_ is empty
};

}  // namespace e2qcow
