// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/error.h>
#include <e2qcow/file.h>

#include "ext2/journal/recovery.h"

namespace e2qcow::ext2 {

// A file system's device as it will be when its journal has been replayed. Nothing is written anywhere.
class ReplayedFile : public File {
 public:
  // `device` must outlive it. All blocks of `newer` lie on it.
  ReplayedFile(const File& device, std::uint32_t block_size, JournaledBlocks newer)
      : device_(device), block_size_(block_size), newer_(std::move(newer)) {}

  const std::string& name() const override { return device_.name(); }
  std::uint64_t size() const override { return device_.size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) const override;
  using File::write;
  void write(std::uint64_t, std::span<const std::byte>) override {
    fail(Errc::refused, name() + ": read-only");
  }
  void resize(std::uint64_t) override { fail(Errc::refused, name() + ": read-only"); }
  std::optional<Extent> next_data(std::uint64_t offset) const override;
  bool is_lost(Extent range) const override { return device_.is_lost(range); }
  void prefetch(Extent range) const override { device_.prefetch(range); }

 private:
  const File& device_;
  std::uint32_t block_size_;
  JournaledBlocks newer_;
};

}  // namespace e2qcow::ext2
