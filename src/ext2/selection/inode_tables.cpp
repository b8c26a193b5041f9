// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/selection/inode_tables.h"

#include <algorithm>

#include "base/bytes.h"

namespace e2qcow::ext2 {
namespace {

// The flags that say which inodes were never used are believed if a checksum proves them and the file system
// is marked as clean, as e2fsck does: those parts of a table hold what was on the disk before the file system
// was made. Otherwise the whole table is read, because that costs little and cannot mislead.
bool believes_flags(const Filesystem& filesystem) {
  const Superblock& superblock = filesystem.superblock;
  return (superblock.raw.s_state & EXT2_VALID_FS) != 0 && (superblock.raw.s_state & EXT2_ERROR_FS) == 0 &&
         !superblock.needs_recovery() && superblock.is_primary();
}

// How many inodes at the beginning of the group's table may be in use, as far as that is reliable.
std::uint32_t inodes_to_read(const Filesystem& filesystem, std::uint64_t group) {
  const std::uint32_t all = filesystem.geometry.inodes_per_group();
  if (!filesystem.descriptors.is_proven(group)) return all;
  if (filesystem.descriptors.has_flag(group, EXT2_BG_INODE_UNINIT)) return 0;
  return all - std::min(all, filesystem.descriptors.unused_inodes(group));
}

}  // namespace

InodeTables::InodeTables(const Filesystem& filesystem, Findings& findings) : filesystem_(filesystem) {
  const std::uint64_t groups = filesystem.geometry.groups();
  inodes_read_.assign(groups, filesystem.geometry.inodes_per_group());
  if (believes_flags(filesystem))
    for (std::uint64_t group = 0; group < groups; ++group)
      inodes_read_[group] = inodes_to_read(filesystem, group);
  assign_blocks(findings);
}

void InodeTables::read_whole(std::span<const std::uint64_t> groups) {
  for (const std::uint64_t group : groups) inodes_read_[group] = filesystem_.geometry.inodes_per_group();
  cut_at_.clear();
  Findings known_already;
  assign_blocks(known_already);
}

void InodeTables::assign_blocks(Findings& findings) {
  struct Table {
    BlockRun blocks;
    std::uint64_t group;
  };
  std::vector<Table> tables;
  for (std::uint64_t group = 0; group < filesystem_.geometry.groups(); ++group)
    if (const BlockRun blocks = whole(group); blocks.count > 0) tables.push_back({blocks, group});
  const auto by_block = [](const Table& table) { return std::pair(table.blocks.first, table.group); };
  std::ranges::sort(tables, {}, by_block);
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
  // Block 0 is in descriptors that were never written, or are none. libext2fs reads no table there.
  if (filesystem_.descriptors.inode_table(group) == 0) return {};
  const std::uint64_t bytes = std::uint64_t{inodes_read_[group]} * geometry.inode_size();
  return geometry.clip({filesystem_.descriptors.inode_table(group), divide_up(bytes, geometry.block_size())});
}

BlockRun InodeTables::of(std::uint64_t group) const {
  const BlockRun blocks = whole(group);
  const auto cut = cut_at_.find(group);
  return cut == cut_at_.end() ? blocks : BlockRun{cut->second, blocks.end() - cut->second};
}

bool InodeTables::has_named_inodes(std::uint64_t group) const {
  const ext2_super_block& raw = filesystem_.superblock.raw;
  const auto is_in_group = [&](std::uint64_t inode) {
    const auto place = filesystem_.geometry.place_of_inode(inode);
    return place && place->group == group;
  };
  return group == 0 || is_in_group(raw.s_journal_inum) || is_in_group(raw.s_usr_quota_inum) ||
         is_in_group(raw.s_grp_quota_inum) || is_in_group(raw.s_prj_quota_inum) ||
         is_in_group(raw.s_orphan_file_inum);
}

}  // namespace e2qcow::ext2
