// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <span>

#include "ext2/anonymize/replacement/strict_rules.h"
#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// What a new UUID does to the checksums in group descriptors: their own, and those of the bitmaps, whose
// bytes do not change. All the same for every group.
class DescriptorChecksums {
 public:
  DescriptorChecksums(const StrictRules& strict, const Filesystem& filesystem);

  // Corrects those in the descriptors, which are whole ones.
  void patch(std::span<std::byte> descriptors) const;

 private:
  void patch_one(std::span<std::byte> descriptor) const;
  void patch_of_bitmap(std::span<std::byte> descriptor, std::size_t low, std::size_t high,
                       std::uint32_t difference) const;

  bool is_needed_;
  std::size_t size_;  // of a descriptor
  bool is_crc32c_;    // otherwise crc16, and bitmaps have none
  SeedDifference seed_;
  std::uint32_t of_block_bitmaps_ = 0;
  std::uint32_t of_inode_bitmaps_ = 0;
  std::uint16_t of_crc16_ = 0;
};

}  // namespace e2qcow::ext2
