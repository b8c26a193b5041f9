// SPDX-License-Identifier: GPL-2.0-or-later
#include "e2image_compat/e2image_selection.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/stop.h"

namespace e2qcow::compat {
namespace {

constexpr std::size_t kIndirect = EXT2_IND_BLOCK * sizeof(std::uint32_t);  // in a block map
constexpr std::uint64_t kGroupsAhead = 16;                                 // whose tables are requested

// Whether the target of a link is in a block, by libext2fs's rule, lib/ext2fs/valid_blk.c.
bool is_long_link(const ext2::Inode& inode, bool has_xattrs) {
  if (!has_xattrs) return inode.sectors_low() != 0;
  const bool has_no_second_block = load_le<std::uint32_t>(inode.map(), sizeof(std::uint32_t)) == 0;
  return inode.size_low() >= ext2::Inode::kMapSize || (inode.size_low() > 4 && has_no_second_block);
}

bool has_valid_blocks(const ext2::Inode& inode, bool has_xattrs) {
  if (inode.has_inline_data()) return false;
  if (inode.is_symlink()) return is_long_link(inode, has_xattrs);
  return S_ISREG(inode.mode()) || inode.is_directory();
}

}  // namespace

bool looks_healthy(const ext2::Filesystem& filesystem, DumpKind kind) {
  const ext2::Superblock& superblock = filesystem.superblock;
  const bool has_orphans =
      superblock.raw.s_last_orphan != 0 || superblock.has_ro_compat(EXT4_FEATURE_RO_COMPAT_ORPHAN_PRESENT);
  // Metadata that is newer than the last checkpoint is in the journal, which is copied; file contents are
  // not.
  const bool is_stale = kind == DumpKind::all && superblock.has_incompat(EXT3_FEATURE_INCOMPAT_RECOVER);
  return superblock.is_primary() && (superblock.raw.s_state & EXT2_ERROR_FS) == 0 && !has_orphans &&
         !is_stale && filesystem.geometry.blocks() == filesystem.geometry.claimed_blocks();
}

E2imageWalk::E2imageWalk(const ext2::Filesystem& filesystem, const WalkOptions& options,
                         ext2::Selection& selection, ext2::Findings& findings)
    : filesystem_(filesystem),
      options_(options),
      selection_(selection),
      findings_(findings),
      block_maps_(filesystem, selection, findings),
      table_reader_(filesystem),
      has_checksums_(filesystem.superblock.has_ro_compat(EXT4_FEATURE_RO_COMPAT_METADATA_CSUM |
                                                         EXT4_FEATURE_RO_COMPAT_GDT_CSUM)),
      named_(filesystem, all_inodes_in_use()) {}

bool E2imageWalk::run() {
  const ext2::Geometry& geometry = filesystem_.geometry;
  selection_.add(BlockClass::superblocks, geometry.superblock_block(0));
  for (const std::uint64_t block : geometry.descriptor_blocks())
    select_block(BlockClass::group_descriptors, block);
  if (filesystem_.superblock.has_incompat(EXT4_FEATURE_INCOMPAT_MMP))
    select_block(BlockClass::mmp, filesystem_.superblock.raw.s_mmp_block);
  std::uint64_t prefetched = 0;
  for (std::uint64_t group = 0; group < geometry.groups(); ++group) {
    throw_if_stopped();
    for (; prefetched < std::min(geometry.groups(), group + kGroupsAhead); ++prefetched)
      filesystem_.file.prefetch(geometry.bytes(geometry.clip(table_in_use(prefetched))));
    if (!select_group(group) || !walk_table(group) || findings_.total() != 0) return false;
  }
  block_maps_.finish();
  return findings_.total() == 0;
}

void E2imageWalk::select_block(BlockClass block_class, std::uint64_t block) {
  if (!filesystem_.geometry.contains({block, 1}))
    findings_.add(Finding::bad_group_descriptor, 0, block);
  else
    selection_.add(block_class, block);
}

bool E2imageWalk::names_unused_inodes(std::span<const ext2::Selection::ClassRun> runs) {
  if (!named_.is_needed()) return false;
  named_.add_from_superblock();
  for (const auto& [blocks, block_class] : runs)
    if (named_.are_in(block_class)) named_.add_from_blocks(block_class, blocks);
  return !named_.take_groups().empty();
}

std::vector<std::uint32_t> E2imageWalk::all_inodes_in_use() const {
  std::vector<std::uint32_t> inodes;
  for (std::uint64_t group = 0; group < filesystem_.geometry.groups(); ++group)
    inodes.push_back(inodes_in_use(group));
  return inodes;
}

std::uint32_t E2imageWalk::inodes_in_use(std::uint64_t group) const {
  const std::uint32_t all = filesystem_.geometry.inodes_per_group();
  if (!has_checksums_) return all;
  if (filesystem_.descriptors.has_flag(group, EXT2_BG_INODE_UNINIT)) return 0;
  return all - std::min(all, filesystem_.descriptors.unused_inodes(group));
}

ext2::BlockRun E2imageWalk::table_in_use(std::uint64_t group) const {
  const ext2::Geometry& geometry = filesystem_.geometry;
  const std::uint64_t bytes = std::uint64_t{inodes_in_use(group)} * geometry.inode_size();
  return {filesystem_.descriptors.inode_table(group), divide_up(bytes, geometry.block_size())};
}

bool E2imageWalk::select_group(std::uint64_t group) {
  const ext2::Geometry& geometry = filesystem_.geometry;
  const ext2::GroupDescriptors& descriptors = filesystem_.descriptors;
  if (has_checksums_ && !descriptors.is_proven(group)) return false;
  ext2::BlockRun table = table_in_use(group);
  if (options_.whole_inode_tables) table.count = geometry.inode_table_blocks();
  if (!geometry.contains(table)) return false;
  selection_.add(BlockClass::inode_tables, table);
  if (!descriptors.has_flag(group, EXT2_BG_BLOCK_UNINIT))
    select_block(BlockClass::block_bitmaps, descriptors.block_bitmap(group));
  if (!descriptors.has_flag(group, EXT2_BG_INODE_UNINIT))
    select_block(BlockClass::inode_bitmaps, descriptors.inode_bitmap(group));
  return true;
}

bool E2imageWalk::walk_table(std::uint64_t group) {
  const std::uint64_t end = group * filesystem_.geometry.inodes_per_group() + inodes_in_use(group);
  bool healthy = true;
  for (const auto& part : table_reader_.parts_of(group, table_in_use(group)))
    table_reader_.for_each_inode(part, [&](std::uint64_t number, const ext2::Inode& inode) {
      healthy = healthy && (number > end || walk_inode(number, inode));
    });
  return healthy;
}

// False for inodes that e2image would leave out although they matter: an orphan, the list of bad blocks, or
// those that the superblock names.
bool E2imageWalk::walk_inode(std::uint64_t number, const ext2::Inode& inode) {
  if (inode.links() == 0) {
    const bool deleted = inode.deletion_time() > filesystem_.superblock.raw.s_inodes_count &&
                         !filesystem_.superblock.names_inode(number);
    const bool in_use = inode.mode() != 0 || number == EXT2_BAD_INO;
    return deleted || !in_use || is_zero(inode.map());
  }
  if (named_.is_needed()) named_.add_from_inode(inode);
  std::uint64_t xattrs = inode.xattr_block_low();
  if (filesystem_.superblock.has_incompat(EXT4_FEATURE_INCOMPAT_64BIT))
    xattrs |= inode.xattr_block_high() << 32;
  if (xattrs != 0) select_block(BlockClass::xattrs, xattrs);
  if (!has_valid_blocks(inode, xattrs != 0)) return true;
  std::optional<ext2::BlockMapWalk::Contents> contents;
  if (has_mapped_contents(number, inode))
    contents = {inode.is_directory() ? BlockClass::directories : BlockClass::data};
  const bool is_iterated = contents || inode.uses_extents() || !is_zero(inode.map().subspan(kIndirect));
  if (is_iterated && filesystem_.superblock.has_translators() && inode.translator_block() != 0)
    select_block(BlockClass::xattrs, inode.translator_block());
  block_maps_.add(number, inode.map(), inode.uses_extents(), contents);
  return true;
}

bool E2imageWalk::has_mapped_contents(std::uint64_t number, const ext2::Inode& inode) const {
  return options_.kind == DumpKind::all || inode.is_directory() || inode.is_symlink() ||
         filesystem_.superblock.names_inode(number);
}

}  // namespace e2qcow::compat
