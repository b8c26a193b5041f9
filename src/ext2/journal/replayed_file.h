// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "base/file/forwarding_file.h"
#include "ext2/journal/recovery.h"

namespace e2qcow::ext2 {

// A file system's device as it will be after its journal has been replayed. Nothing is written anywhere.
class ReplayedFile : public ForwardingFile {
 public:
  // `log` contains all blocks of `newer`: the device itself, or that of its journal.
  ReplayedFile(const ReadableFile& device, const ReadableFile& log, std::uint32_t block_size,
               JournaledBlocks newer)
      : ForwardingFile(device), log_(log), block_size_(block_size), newer_(std::move(newer)) {}

  void read(std::uint64_t offset, std::span<std::byte> out) const override;
  std::optional<Extent> next_data(std::uint64_t offset) const override;
  // None: what the device has is not what is read here.
  std::optional<Descriptor> descriptor() const override { return std::nullopt; }

 private:
  const ReadableFile& log_;
  std::uint32_t block_size_;
  JournaledBlocks newer_;
};

}  // namespace e2qcow::ext2
