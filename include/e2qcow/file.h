// SPDX-License-Identifier: GPL-2.0-or-later
// Bytes by offset: files, devices, memory. C++20.
#pragma once

#include <e2qcow/extent.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace e2qcow {

// Bytes by offset that can be read: a file, a block device, memory. Every call moves all its bytes or throws
// std::system_error with the name and the offset in its text. Safe from several threads at once.
class ReadableFile {
 public:
  ReadableFile() = default;
  ReadableFile(const ReadableFile&) = delete;
  ReadableFile& operator=(const ReadableFile&) = delete;
  virtual ~ReadableFile() = default;

  virtual const std::string& name() const = 0;
  virtual std::uint64_t size() const = 0;

  // Reading past the end is an error (Errc::truncated), never zeros.
  virtual void read(std::uint64_t offset, std::span<std::byte> out) const = 0;
  // The same, but at the end of the file reads fewer bytes; returns their number.
  virtual std::size_t read_up_to(std::uint64_t offset, std::span<std::byte> out) const;

  // The first extent at or after `offset` that may hold non-zero bytes; absent if there is none.
  virtual std::optional<Extent> next_data(std::uint64_t offset) const;

  // Whether a part of the range was read as zeros because it is unreadable.
  virtual bool is_lost(Extent) const { return false; }

  // Whether a sector that was read before can be read again, from where it is stored: if not, the whole file
  // is gone, and not a place in it.
  virtual bool can_still_read(std::uint64_t /*offset*/) const { return true; }

  // A hint that the range will be read soon; returns at once. Up to kPrefetchMargin bytes on either side may
  // also be read.
  virtual void prefetch(Extent) const {}
  static constexpr std::uint64_t kPrefetchMargin = 32 << 10;

  // Where the kernel has the bytes, if they are in an open file. For sharing or probing them; reading and
  // writing go through the calls above.
  struct Descriptor {
    int fd;
    std::uint64_t offset;  // of our byte 0
  };
  virtual std::optional<Descriptor> descriptor() const { return std::nullopt; }
};

// A file that can also be written. Writing is safe from several threads at once as well.
class File : public ReadableFile {
 public:
  // Writing past the end grows a file and fails on a device.
  virtual void write(std::uint64_t offset, std::span<const std::byte> data) = 0;
  // Writes the parts one after the other.
  virtual void write(std::uint64_t offset, std::span<const std::span<const std::byte>> parts);
  virtual void resize(std::uint64_t new_size) = 0;

  // How zero() may make a range read as zeros.
  enum class Zeroing { keep_allocated, discard };
  virtual void zero(Extent range, Zeroing how);

  // A hint that this many bytes will be written.
  virtual void expect_writes(std::uint64_t /*bytes*/) {}

  // Written data is safe only after this has returned.
  virtual void sync() {}

  // A hint that the range will not be written again and may go to the disk now; returns at once.
  virtual void write_back(Extent) {}

  // Lets the range at `offset` share its blocks with `from`, so that the file system stores the bytes once.
  // Returns false, and changes nothing, if it cannot.
  virtual bool share(std::uint64_t /*offset*/, const Descriptor& /*from*/, std::uint64_t /*length*/) {
    return false;
  }
};

}  // namespace e2qcow
