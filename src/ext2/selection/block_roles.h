// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "ext2/selection/block_visitor.h"

namespace e2qcow::ext2 {

// Remembers which blocks a walk found, for what and for which inode, and the directories with flags that say
// how their names are to be read. Takes 24 bytes for each run of blocks; contents of files are not among them
// if they are not wanted.
class BlockRoles : public BlockVisitor {
 public:
  void visit(BlockClass block_class, BlockRun run, std::uint64_t inode) override;
  void visit_table(std::uint64_t block, std::uint64_t first_inode) override;
  void visit_inode(std::uint64_t number, const Inode& inode) override;
  void add(const BlockRoles& other);

  struct Run {
    BlockRun blocks;
    std::uint32_t inode;  // 0: none
    BlockClass block_class;
  };
  const std::vector<Run>& runs() const { return runs_; }

  struct Directory {
    std::uint32_t inode;
    std::uint32_t flags;
    std::vector<std::byte> bytes;  // of the inode, if entries are in it
  };
  // Those that have such flags, or entries in the inode.
  const std::vector<Directory>& directories() const { return directories_; }

  // Blocks of inode tables, each with the first inode in it.
  struct Table {
    std::uint64_t block;
    std::uint64_t first_inode;
  };
  const std::vector<Table>& tables() const { return tables_; }

  // How many inodes at the beginning of each group's table were read; those after them were never used.
  const std::vector<std::uint32_t>& inodes_read() const { return inodes_read_; }
  void set_inodes_read(std::span<const std::uint32_t> by_group) {
    inodes_read_.assign(by_group.begin(), by_group.end());
  }

 private:
  std::vector<Run> runs_;
  std::vector<Directory> directories_;
  std::vector<Table> tables_;
  std::vector<std::uint32_t> inodes_read_;
};

}  // namespace e2qcow::ext2
