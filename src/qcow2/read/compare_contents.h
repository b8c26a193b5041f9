// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <vector>

#include "qcow2/read/digest_table.h"
#include "qcow2/read/reader.h"

namespace e2qcow::qcow2 {

// The disk of one image as far as it can be decoded: the rest of it reads as zeros.
class DecodableDisk : public ImageSource {
 public:
  // The source must outlive it.
  explicit DecodableDisk(const ImageSource& disk) : disk_(disk) {}
  std::uint64_t size() const override { return disk_.size(); }
  std::optional<Extent> next_extent(std::uint64_t guest_offset) const override {
    return disk_.next_extent(guest_offset);
  }
  void read(std::uint64_t guest_offset, std::span<std::byte> out) const override;
  std::uint64_t read_unit() const override { return disk_.read_unit(); }

 private:
  bool try_to_read(std::uint64_t guest_offset, std::span<std::byte> out) const;

  const ImageSource& disk_;
};

// The clusters of the image whose contents are not those of which the table has the digests: guest bytes,
// ascending, not touching. Clusters that cannot be decoded are among them. Backing files do not count.
std::vector<Extent> different_clusters(const Reader& image, const DigestTable& table,
                                       const TransferOptions& options);

}  // namespace e2qcow::qcow2
