// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <vector>

namespace e2qcow {

// A disk with further extents, which are zeros: for a sink that must see where another disk has data.
class CoveringSource : public ImageSource {
 public:
  // `extents` ascend, do not touch each other, lie inside the disk, and contain all extents of the source,
  // which must outlive this.
  CoveringSource(const ImageSource& source, std::vector<Extent> extents)
      : source_(source), extents_(std::move(extents)) {}

  std::uint64_t size() const override { return source_.size(); }
  std::optional<Extent> next_extent(std::uint64_t guest_offset) const override;
  void read(std::uint64_t guest_offset, std::span<std::byte> out) const override;
  void prefetch(Extent range) const override;
  bool wants_hints() const override { return source_.wants_hints(); }
  std::optional<File::Descriptor> stored_at(Extent range) const override;
  std::uint64_t read_unit() const override { return source_.read_unit(); }

 private:
  const ImageSource& source_;
  std::vector<Extent> extents_;
};

}  // namespace e2qcow
