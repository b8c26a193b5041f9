// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <mutex>

#include "base/file/forwarding_file.h"
#include "ext2/anonymize/anonymizer.h"

namespace e2qcow::ext2 {

// A file system's device as it is in an anonymised dump.
class AnonymizedFile : public ForwardingFile {
 public:
  // Both must outlive it.
  AnonymizedFile(const ReadableFile& device, const Anonymizer& anonymizer, std::uint32_t block_size)
      : ForwardingFile(device), anonymizer_(anonymizer), block_size_(block_size) {}

  void read(std::uint64_t offset, std::span<std::byte> out) const override;
  // None: what the device has is not what is read here.
  std::optional<Descriptor> descriptor() const override { return std::nullopt; }

  // What was done to the blocks read so far, by class. A block that is read twice counts twice.
  std::array<Tally, kBlockClasses> tallies() const;

 private:
  void replace(std::uint64_t first_block, std::span<std::byte> blocks) const;

  const Anonymizer& anonymizer_;
  std::uint32_t block_size_;
  mutable std::mutex mutex_;  // guards tallies_
  mutable std::array<Tally, kBlockClasses> tallies_{};
};

}  // namespace e2qcow::ext2
