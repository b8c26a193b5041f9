// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "ext2/structures/superblock.h"

namespace e2qcow::ext2 {

// A run of blocks.
struct BlockRun {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  constexpr std::uint64_t end() const { return first + count; }
  friend constexpr bool operator==(const BlockRun&, const BlockRun&) = default;
};

// Where the structures of a file system are. Impossible values in single fields of the superblock are
// replaced by the right ones, and every block it returns is on the device, so callers need no checks of their
// own. Source of the rules: libext2fs, lib/ext2fs/{closefs,openfs,alloc_tables}.c
class Geometry {
 public:
  Geometry(const Superblock& superblock, std::uint64_t device_size);

  std::uint32_t block_size() const { return block_size_; }
  std::uint64_t blocks() const { return blocks_; }  // that the device has
  std::uint64_t claimed_blocks() const { return claimed_blocks_; }
  // How much of the claimed file system lies past the end of the device.
  std::uint64_t missing_bytes() const { return (claimed_blocks_ - blocks_) * block_size_; }
  std::uint32_t cluster_blocks() const { return cluster_blocks_; }
  std::uint64_t groups() const { return groups_; }
  std::uint32_t inodes_per_group() const { return inodes_per_group_; }
  std::uint32_t inode_size() const { return inode_size_; }
  std::uint32_t descriptor_size() const { return descriptor_size_; }
  std::uint64_t inode_table_blocks() const { return inode_table_blocks_; }

  BlockRun group(std::uint64_t group) const;
  // Absent before the first group, after the last, and if there are no groups.
  std::optional<std::uint64_t> group_of(std::uint64_t block) const;
  struct InodePlace {
    std::uint64_t group;
    std::uint64_t index;  // in the group's table, from 0
  };
  // Absent if no group has such an inode.
  std::optional<InodePlace> place_of_inode(std::uint64_t number) const;
  bool has_superblock(std::uint64_t group) const;
  std::uint64_t superblock_block(std::uint64_t group) const;
  // Whether the first descriptors follow the superblock in the group, if it has one: nothing can be found
  // from one without them. In a file system that got meta_bg when it grew, they follow only the first ones.
  bool has_first_descriptors(std::uint64_t group) const {
    return first_meta_group_ == 0 || group / (block_size_ / descriptor_size_) < first_meta_group_;
  }
  // The descriptor blocks, primary or backup, that are stored in the group; may be empty.
  BlockRun descriptors_in(std::uint64_t group) const;
  // The descriptor blocks that belong to the superblock in use, in order.
  std::vector<std::uint64_t> descriptor_blocks() const;

  // How many bytes at the beginning of a block of descriptors are in use: the last block may not be full.
  std::size_t descriptor_bytes_in(std::uint64_t block) const;

  // Whether the run is inside the file system as the superblock claims it; the device may end earlier.
  bool contains(BlockRun run) const {
    return run.first != 0 && run.first <= claimed_blocks_ && run.count <= claimed_blocks_ - run.first;
  }
  // The part of the run that is inside the file system and the device; if there is none, an empty run there.
  BlockRun clip(BlockRun run) const;
  // Of a run inside the device: clip first what comes from a disk.
  Extent bytes(BlockRun run) const { return {run.first * block_size_, run.count * block_size_}; }

 private:
  std::uint64_t descriptor_block_count() const;
  std::uint64_t count_groups(const Superblock& superblock, std::uint64_t device_size) const;

  std::uint32_t block_size_;
  std::uint64_t claimed_blocks_;
  std::uint64_t blocks_;
  std::uint32_t cluster_blocks_ = 1;
  std::uint64_t first_data_block_;
  std::uint64_t blocks_per_group_;
  std::uint64_t groups_;
  std::uint32_t inodes_per_group_;
  std::uint32_t inode_size_;
  std::uint32_t descriptor_size_;
  std::uint64_t inode_table_blocks_;
  std::uint64_t used_superblock_block_;
  std::uint64_t first_meta_group_;  // in descriptor blocks; without meta_bg, past all of them
  bool sparse_super_;
  bool sparse_super2_;
  std::uint32_t backup_groups_[2];
};

}  // namespace e2qcow::ext2
