// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <span>
#include <vector>

#include "ext2/selection/block_map.h"
#include "ext2/selection/findings.h"
#include "ext2/selection/named_inodes.h"
#include "ext2/selection/selection.h"
#include "ext2/structures/filesystem.h"
#include "ext2/structures/inode_table_reader.h"
#include "image/dump_record.h"

namespace e2qcow::compat {

struct WalkOptions {
  DumpKind kind = DumpKind::metadata;
  // Also the parts that were never used, as e2image does when it writes to a block device.
  bool whole_inode_tables = false;
};

// Selects what e2image selects of a healthy file system: the primary superblock and its descriptors, bitmaps
// and inode tables as far as they are in use, and the metadata of inodes with links. It believes flags and
// counters, and so is only for healthy file systems.
class E2imageWalk {
 public:
  // The arguments must outlive the walk.
  E2imageWalk(const ext2::Filesystem& filesystem, const WalkOptions& options, ext2::Selection& selection,
              ext2::Findings& findings);

  // False if the file system is damaged after all; `findings` may have the details.
  bool run();
  // Whether something names an inode in the parts of tables that are not read. `runs` are the blocks that
  // were selected.
  bool names_unused_inodes(std::span<const ext2::Selection::ClassRun> runs);

 private:
  bool select_group(std::uint64_t group);
  std::uint32_t inodes_in_use(std::uint64_t group) const;
  std::vector<std::uint32_t> all_inodes_in_use() const;
  ext2::BlockRun table_in_use(std::uint64_t group) const;  // may lie outside a damaged device
  void select_block(BlockClass block_class, std::uint64_t block);
  bool walk_table(std::uint64_t group);
  bool walk_inode(std::uint64_t number, const ext2::Inode& inode);
  bool has_mapped_contents(std::uint64_t number, const ext2::Inode& inode) const;

  const ext2::Filesystem& filesystem_;
  WalkOptions options_;
  ext2::Selection& selection_;
  ext2::Findings& findings_;
  ext2::BlockMapWalk block_maps_;
  ext2::InodeTableReader table_reader_;
  bool has_checksums_;
  ext2::NamedInodes named_;
};

// Whether the file system is marked as clean, and the device has all of it.
bool looks_healthy(const ext2::Filesystem& filesystem, DumpKind kind);

}  // namespace e2qcow::compat
