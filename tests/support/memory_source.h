// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "tests/support/bytes.h"
#include "tests/support/random.h"

namespace e2qcow {

// A disk in memory with the given extents of data.
class MemorySource : public ImageSource {
 public:
  MemorySource(Bytes disk, std::vector<Extent> extents)
      : disk_(std::move(disk)), extents_(std::move(extents)) {}

  // Random extents of random data, and zeros between them.
  static MemorySource random(Random& random, std::uint64_t size, std::uint64_t max_gap,
                             std::uint64_t max_length) {
    MemorySource source(Bytes(size), random.extents(size, max_gap, max_length));
    for (const Extent& extent : source.extents_)
      std::ranges::copy(random.bytes(extent.length),
                        source.disk_.begin() + static_cast<std::ptrdiff_t>(extent.offset));
    return source;
  }

  const Bytes& disk() const { return disk_; }
  const std::vector<Extent>& extents() const { return extents_; }

  std::uint64_t size() const override { return disk_.size(); }
  std::optional<Extent> next_extent(std::uint64_t guest_offset) const override {
    for (const Extent& extent : extents_) {
      const std::uint64_t begin = std::max(extent.offset, guest_offset);
      if (begin < extent.end()) return Extent{begin, extent.end() - begin};
    }
    return std::nullopt;
  }
  void read(std::uint64_t guest_offset, std::span<std::byte> out) const override {
    std::copy_n(disk_.begin() + static_cast<std::ptrdiff_t>(guest_offset), out.size(), out.begin());
  }

 private:
  Bytes disk_;
  std::vector<Extent> extents_;
};

}  // namespace e2qcow
