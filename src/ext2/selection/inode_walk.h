// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <vector>

#include "ext2/journal/fast_commit.h"
#include "ext2/selection/block_map.h"
#include "ext2/selection/block_visitor.h"
#include "ext2/selection/findings.h"
#include "ext2/selection/inode_tables.h"
#include "ext2/structures/filesystem.h"
#include "ext2/structures/inode_table_reader.h"
#include "image/dump_record.h"

namespace e2qcow::ext2 {

// Walks inode tables and selects their non-zero blocks, and the metadata of their inodes, whatever bitmaps
// and link counts say: orphans and deleted inodes own blocks too.
class InodeWalk {
 public:
  // With DumpKind::all it also selects the contents of files, as bitmaps may be wrong. The arguments must
  // outlive the walk.
  InodeWalk(const Filesystem& filesystem, DumpKind kind, BlockVisitor& visitor, Findings& findings);

  void walk_groups(BlockRun groups, const InodeTables& tables);
  // For inodes that are not in the tables.
  void walk_fast_inodes(std::span<const FastInode> inodes);
  // The copy of the journal's block map in the superblock.
  void walk_journal_backup();
  void finish() { block_maps_.finish(); }

 private:
  void walk_part(const InodeTableReader::Part& part);
  bool is_deleted(const Inode& inode) const;
  void walk_inode(std::uint64_t number, const Inode& inode);
  void select_block(BlockClass block_class, std::uint64_t number, std::uint64_t block);
  void select_xattr_block(std::uint64_t number, const Inode& inode);
  std::optional<BlockMapWalk::Contents> contents(std::uint64_t number, const Inode& inode) const;
  bool begins_as(BlockClass block_class, std::span<const std::byte> map, bool uses_extents) const;
  bool begins_as_its_directory(std::uint64_t number, const Inode& inode) const;
  std::optional<BlockClass> contents_class(std::uint64_t number, const Inode& inode) const;

  const Filesystem& filesystem_;
  DumpKind kind_;
  BlockVisitor& visitor_;
  Findings& findings_;
  BlockMapWalk block_maps_;
  InodeTableReader table_reader_;
  bool has_64bit_blocks_;
};

}  // namespace e2qcow::ext2
