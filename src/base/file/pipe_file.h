// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <mutex>
#include <vector>

#include "base/file/pipe_buffer.h"

namespace e2qcow {

// A pipe as a file that can be read by offset. At first every byte is kept; after forget() only the bytes
// read until then and the last `window` bytes, and reading others is an error. The size is kUnknownSize until
// the end has been reached.
class PipeFile : public ReadableFile {
 public:
  // Does not own the descriptor.
  PipeFile(int fd, std::string name) : fd_(fd), name_(std::move(name)) { front_.prepare_to_spill(); }

  static constexpr std::uint64_t kUnknownSize = (1ULL << 62);

  const std::string& name() const override { return name_; }
  std::uint64_t size() const override;
  void read(std::uint64_t offset, std::span<std::byte> out) const override;
  std::size_t read_up_to(std::uint64_t offset, std::span<std::byte> out) const override;

  // The offset up to which it was read.
  std::uint64_t position() const;
  void forget(std::uint64_t window);
  // Reads to the end, so that the writing program can finish.
  void drain();

 private:
  bool advance() const;
  void copy_out(std::uint64_t offset, std::span<std::byte> out) const;

  int fd_;
  std::string name_;
  mutable std::mutex mutex_;  // guards the members below
  mutable PipeBuffer front_;
  mutable std::vector<std::byte> ring_;  // empty until forget(); byte x is at x % size
  mutable std::uint64_t position_ = 0;
  mutable bool ended_ = false;
};

}  // namespace e2qcow
