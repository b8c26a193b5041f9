// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <vector>

#include "qcow2/read/reader.h"

namespace e2qcow::qcow2 {

// An image on top of its backing files: what one does not have is looked for in the next, and what is past
// the end of that reads as zeros.
class Chain : public ImageSource {
 public:
  // The images from the top down; then, if there is one, a raw disk. All must outlive the chain.
  Chain(std::vector<const Reader*> images, const ReadableFile* raw_base);

  std::uint64_t size() const override { return images_.front()->size(); }
  std::optional<Extent> next_extent(std::uint64_t guest_offset) const override;
  void read(std::uint64_t guest_offset, std::span<std::byte> out) const override;
  std::optional<File::Descriptor> stored_at(Extent guest) const override;
  // The largest cluster of its images.
  std::uint64_t read_unit() const override;

  // An extent of the disk, and which layer has it: 0 is the top. Unallocated means that no layer has it; then
  // the depth is that of the last one asked.
  struct LayerMapping {
    Mapping mapping;
    std::size_t depth = 0;
  };
  LayerMapping map(std::uint64_t guest_offset) const;
  // Reads from inside an extent that map() found.
  void read(const LayerMapping& found, std::uint64_t guest_offset, std::span<std::byte> out) const;

 private:
  Mapping map_raw(std::uint64_t guest_offset) const;

  std::vector<const Reader*> images_;
  const ReadableFile* raw_base_;
};

}  // namespace e2qcow::qcow2
