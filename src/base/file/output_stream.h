// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/unique_fd.h"

namespace e2qcow {

// Bytes that go out one after the other, as through a pipe. Does not own the descriptor.
class OutputStream {
 public:
  OutputStream(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}

  // Writes everything or throws; a reader that went away is an error like any other.
  void write(std::span<const std::byte> data);
  std::uint64_t written() const { return written_; }
  const std::string& name() const { return name_; }

 private:
  int fd_;
  std::string name_;
  std::uint64_t written_ = 0;
};

// All of the file.
void send(const ReadableFile& file, OutputStream& out);

// A pipe or character device.
UniqueFd open_stream_for_writing(const std::string& path);

// Standard output for binary data. A terminal is refused.
OutputStream standard_output();

}  // namespace e2qcow
