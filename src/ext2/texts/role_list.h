// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ext2/selection/selection.h"
#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// What each block of metadata is for, and whose it is, by all interpretations of the file system.
class RoleList {
 public:
  // Walks over the inodes. `filesystem` must outlive it.
  RoleList(const Filesystem& filesystem, unsigned threads);

  struct Role {
    BlockRun blocks;
    BlockClass block_class;
    std::uint64_t owner;  // the inode of the directory, link or attribute; else 0
  };
  // Ascending. A block may be in several.
  const std::vector<Role>& all() const { return roles_; }
  std::optional<Role> of(std::uint64_t block) const;
  // Whether it is a fixed structure, whatever a damaged inode says: a superblock, a descriptor, a bitmap, a
  // part of an inode table.
  bool is_fixed(std::uint64_t block) const;

  // The first inode in a block of an inode table; 0 if it is in none.
  std::uint64_t first_inode_in(std::uint64_t block) const;

 private:
  struct Table {
    std::uint64_t first_block;
    std::uint64_t group;
  };
  void add_owned_blocks(const Filesystem& seen);
  void add_other_blocks(unsigned threads);
  void add_tables();
  void sort();

  const Filesystem& filesystem_;
  std::vector<Role> roles_;
  std::vector<BlockRun> fixed_;  // ascending
  std::vector<Table> tables_;
};

}  // namespace e2qcow::ext2
