// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>

#include "base/file/forwarding_file.h"
#include "base/unique_fd.h"

namespace e2qcow {

// A block device as it is on the disk, past the kernel's cache of it (O_DIRECT).
class DirectFile : public ForwardingFile {
 public:
  // `device` must have a descriptor. Throws if the device cannot be read like this.
  explicit DirectFile(const ReadableFile& device);

  void read(std::uint64_t offset, std::span<std::byte> out) const override;
  // Nothing: what the kernel read ahead would not be used.
  void prefetch(Extent) const override {}
  // None: who reads by it would see the cache.
  std::optional<Descriptor> descriptor() const override { return std::nullopt; }

 private:
  void read_aligned(std::uint64_t offset, std::span<std::byte> out) const;

  UniqueFd fd_;
  std::uint64_t unit_;  // bytes that offsets, lengths and addresses are multiples of
};

}  // namespace e2qcow
