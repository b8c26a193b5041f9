// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>
#include <sys/uio.h>

#include <atomic>
#include <memory>
#include <string>

#include "base/file/known_data.h"
#include "base/file/prefetcher.h"
#include "base/unique_fd.h"

namespace e2qcow {

// A regular file or a block device.
class PosixFile : public File {
 public:
  struct Options {
    bool takes_hints = false;  // by prefetch()
    bool reads_ahead = true;   // by the kernel, what is not asked for
    bool writes_directly =
        false;  // past the page cache, if writes are large, aligned and expected to be many
  };

  // Takes over `fd`. Anything that is neither a regular file nor a block device is refused. Everything that
  // the options need is opened now; an option that is not available has no effect.
  PosixFile(UniqueFd fd, std::string name, const Options& options);
  PosixFile(UniqueFd fd, std::string name) : PosixFile(std::move(fd), std::move(name), {}) {}

  const std::string& name() const override { return name_; }
  std::uint64_t size() const override;
  void read(std::uint64_t offset, std::span<std::byte> out) const override;
  void write(std::uint64_t offset, std::span<const std::byte> data) override;
  void write(std::uint64_t offset, std::span<const std::span<const std::byte>> parts) override;
  void resize(std::uint64_t new_size) override;
  void zero(Extent range, Zeroing how) override;
  void expect_writes(std::uint64_t bytes) override;
  void sync() override;
  void write_back(Extent range) override;
  bool share(std::uint64_t offset, const Descriptor& from, std::uint64_t length) override;
  std::optional<Extent> next_data(std::uint64_t offset) const override;
  bool can_still_read(std::uint64_t offset) const override;
  void prefetch(Extent range) const override;
  std::optional<Descriptor> descriptor() const override { return Descriptor{fd_.get(), 0}; }

  // Lets what was synced be read from the disk again; a hint.
  void drop_cache() const;

  // Closes the file. Network file systems may report only now that something was not written.
  void close();

  bool is_block_device() const { return is_block_device_; }
  dev_t number() const { return number_; }  // of a block device; else 0
  int fd() const { return fd_.get(); }

 private:
  std::optional<Extent> find_data(std::uint64_t offset) const;
  bool zero_by_kernel(Extent range, Zeroing how);
  int fd_for_writing(std::uint64_t offset, std::span<const iovec> vectors) const;
  ssize_t write_some(std::uint64_t offset, std::span<const iovec> vectors);

  UniqueFd fd_;
  UniqueFd direct_fd_;  // the same file, for writes past the page cache
  std::atomic<bool> can_write_directly_{false};
  std::string name_;
  bool is_block_device_;
  dev_t number_ = 0;
  std::uint64_t device_size_ = 0;
  std::atomic<bool> can_share_{true};  // as far as was tried
  mutable KnownData known_data_;
  std::unique_ptr<Prefetcher> prefetcher_;  // ends before fd_ is closed; null: hints are ignored
};

// Never waits for the writer of a FIFO and never opens a terminal: anything but a file or block device is an
// error.
std::unique_ptr<PosixFile> open_for_reading(const std::string& path,
                                            const PosixFile::Options& options = {.takes_hints = true});
// The same for a file that has another name in messages.
std::unique_ptr<PosixFile> open_for_reading(const std::string& path, const std::string& name,
                                            const PosixFile::Options& options);

// An existing file, to be read and changed in place. It is locked until it is closed: other attempts of ours
// fail with Errc::in_use, and QEMU's programs fail in their own way.
std::unique_ptr<PosixFile> open_for_update(const std::string& path);
std::unique_ptr<PosixFile> open_for_update(const std::string& path, const std::string& name);

// A block device to be overwritten in place. A device that is mounted or otherwise in use is refused
// (O_EXCL).
std::unique_ptr<PosixFile> open_device_for_writing(const std::string& path,
                                                   const PosixFile::Options& options = {});

}  // namespace e2qcow
