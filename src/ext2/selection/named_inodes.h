// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <span>
#include <vector>

#include "ext2/structures/filesystem.h"
#include "ext2/structures/inode.h"
#include "image/block_class.h"

namespace e2qcow::ext2 {

// Descriptors say how much of each inode table was never used, and that part is not read. But something may
// name an inode there: programs follow the name, and find what is on the disk. This class collects the groups
// of such inodes. Safe from several threads.
class NamedInodes {
 public:
  // `inodes_read`: how many inodes at the beginning of each group's table are read anyway. The file system
  // must outlive it.
  NamedInodes(const Filesystem& filesystem, std::span<const std::uint32_t> inodes_read);

  // False if all tables are read as a whole, so that nothing has to be looked for.
  bool is_needed() const { return is_needed_; }
  // Whether blocks of this class name inodes.
  bool are_in(BlockClass block_class) const;

  void add(std::uint64_t inode);
  // Those that the superblock names: special files, and the chain of orphans.
  void add_from_superblock();
  // From the inode itself: entries of an inline directory, values of extended attributes.
  void add_from_inode(const Inode& inode);
  // From blocks of a class that names inodes.
  void add_from_blocks(BlockClass block_class, BlockRun blocks);

  // The groups that were found since the last call; each is returned once.
  std::vector<std::uint64_t> take_groups();

 private:
  void add_from_block(BlockClass block_class, std::span<const std::byte> block);
  void add_from_directory(std::span<const std::byte> entries);
  void add_from_xattrs(std::span<const std::byte> entries);

  const Filesystem& filesystem_;
  const std::vector<std::uint32_t> inodes_read_;
  bool is_needed_;
  std::mutex mutex_;  // guards the members below
  std::set<std::uint64_t> known_;
  std::vector<std::uint64_t> new_;
};

}  // namespace e2qcow::ext2
