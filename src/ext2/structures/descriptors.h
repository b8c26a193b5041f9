// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <vector>

#include "ext2/structures/geometry.h"

namespace e2qcow::ext2 {

// The group descriptors as stored on the device.
class GroupDescriptors {
 public:
  // Reads those that belong to the superblock in use.
  GroupDescriptors(const ReadableFile& file, const Superblock& superblock, const Geometry& geometry);

  std::uint64_t block_bitmap(std::uint64_t group) const { return block_number(group, 0x00, 0x20); }
  std::uint64_t inode_bitmap(std::uint64_t group) const { return block_number(group, 0x04, 0x24); }
  std::uint64_t inode_table(std::uint64_t group) const { return block_number(group, 0x08, 0x28); }
  std::uint32_t unused_inodes(std::uint64_t group) const;
  bool has_flag(std::uint64_t group, std::uint16_t flag) const;  // EXT2_BG_...
  std::uint32_t block_bitmap_checksum(std::uint64_t group) const { return checksum_at(group, 0x18, 0x38); }

  bool has_checksums() const { return checksum_ != Checksum::none; }
  // True if descriptors have checksums and this one's is right.
  bool is_proven(std::uint64_t group) const;
  // False if the checksum of this block bitmap of the group is wrong; or, if bitmaps have no checksums, that
  // of the descriptor which locates it.
  bool is_bitmap_plausible(std::uint64_t group, std::span<const std::byte> bitmap) const;
  // The same for the bitmap of its inodes.
  bool is_inode_bitmap_plausible(std::uint64_t group, std::span<const std::byte> bitmap) const;

 private:
  std::span<const std::byte> descriptor(std::uint64_t group) const;
  std::uint64_t block_number(std::uint64_t group, std::size_t low, std::size_t high) const;
  std::uint32_t checksum_at(std::uint64_t group, std::size_t low, std::size_t high) const;
  bool is_plausible(std::uint64_t group, std::span<const std::byte> bits, std::uint32_t stored) const;

  std::vector<std::byte> bytes_;
  std::size_t size_;  // of one
  std::uint32_t clusters_per_group_;
  std::uint32_t inodes_per_group_;
  enum class Checksum { none, crc16, crc32c } checksum_ = Checksum::none;
  std::uint32_t seed_ = 0;
  std::uint8_t uuid_[16];
};

}  // namespace e2qcow::ext2
