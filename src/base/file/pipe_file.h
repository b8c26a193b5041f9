// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <mutex>
#include <vector>

#include "base/file/pipe_buffer.h"

namespace e2qcow {

// What comes from a pipe, as a file to read from. At first everything that went by is kept; after forget()
// only the front so far and the last `window` bytes are, and reading further back is an error. The size is
// not known before the end was seen; until then it is kUnknownSize.
class PipeFile : public ReadableFile {
 public:
  // Does not own the descriptor.
  PipeFile(int fd, std::string name) : fd_(fd), name_(std::move(name)) { front_.prepare_to_spill(); }

  static constexpr std::uint64_t kUnknownSize = (1ULL << 62);

  const std::string& name() const override { return name_; }
  std::uint64_t size() const override;
  void read(std::uint64_t offset, std::span<std::byte> out) const override;
  std::size_t read_up_to(std::uint64_t offset, std::span<std::byte> out) const override;

  // How far it was read.
  std::uint64_t position() const;
  void forget(std::uint64_t window);
  // Reads to the end, so that whoever writes can finish.
  void drain();

 private:
  bool advance() const;
  void copy_out(std::uint64_t offset, std::span<std::byte> out) const;

  int fd_;
  std::string name_;
  mutable std::mutex mutex_;  // guards what follows
  mutable PipeBuffer front_;
  mutable std::vector<std::byte> ring_;  // empty until forget(); byte x is at x % size
  mutable std::uint64_t position_ = 0;
  mutable bool ended_ = false;
};

}  // namespace e2qcow
