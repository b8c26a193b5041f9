// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/selection/inode_tables.h"

#include <algorithm>

#include "base/bytes.h"
#include "ext2/selection/inode_walk.h"

namespace e2qcow::ext2 {

InodeTables::InodeTables(const Filesystem& filesystem, Findings& findings) : filesystem_(filesystem) {
  struct Table {
    BlockRun blocks;
    std::uint64_t group;
  };
  std::vector<Table> tables;
  for (std::uint64_t group = 0; group < filesystem.geometry.groups(); ++group)
    if (const BlockRun blocks = whole(group); blocks.count > 0) tables.push_back({blocks, group});
  const auto by_place = [](const Table& table) { return std::pair(table.blocks.first, table.group); };
  std::ranges::sort(tables, {}, by_place);
  std::uint64_t claimed_until = 0;
  for (const auto& [blocks, group] : tables) {
    if (blocks.first < claimed_until) findings.add(Finding::overlapping_tables, 0, blocks.first);
    if (blocks.first < claimed_until && !has_named_inodes(group))
      cut_at_[group] = std::min(claimed_until, blocks.end());
    claimed_until = std::max(claimed_until, blocks.end());
  }
}

BlockRun InodeTables::whole(std::uint64_t group) const {
  const Geometry& geometry = filesystem_.geometry;
  // Block 0 is what a descriptor names that was never written, or is no descriptor; libext2fs reads none.
  if (filesystem_.descriptors.inode_table(group) == 0) return {};
  const std::uint64_t bytes = inodes_to_read(filesystem_, group) * geometry.inode_size();
  return geometry.clip({filesystem_.descriptors.inode_table(group), divide_up(bytes, geometry.block_size())});
}

BlockRun InodeTables::of(std::uint64_t group) const {
  const BlockRun blocks = whole(group);
  const auto cut = cut_at_.find(group);
  return cut == cut_at_.end() ? blocks : BlockRun{cut->second, blocks.end() - cut->second};
}

bool InodeTables::has_named_inodes(std::uint64_t group) const {
  const ext2_super_block& raw = filesystem_.superblock.raw;
  const std::uint64_t per_group = filesystem_.geometry.inodes_per_group();
  const auto is_in_group = [&](std::uint64_t inode) {
    return inode != 0 && (inode - 1) / per_group == group;
  };
  return group == 0 || is_in_group(raw.s_journal_inum) || is_in_group(raw.s_usr_quota_inum) ||
         is_in_group(raw.s_grp_quota_inum) || is_in_group(raw.s_prj_quota_inum) ||
         is_in_group(raw.s_orphan_file_inum);
}

}  // namespace e2qcow::ext2
