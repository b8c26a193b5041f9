// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/selection/inode_walk.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "base/bytes.h"
#include "ext2/journal/journal_log.h"
#include "ext2/structures/extent_node.h"
#include "ext2/structures/file_blocks.h"

namespace e2qcow::ext2 {

InodeWalk::InodeWalk(const Filesystem& filesystem, DumpKind kind, BlockVisitor& visitor, Findings& findings)
    : filesystem_(filesystem),
      kind_(kind),
      visitor_(visitor),
      findings_(findings),
      block_maps_(filesystem, visitor, findings),
      table_reader_(filesystem),
      has_64bit_blocks_(filesystem.superblock.has_incompat(EXT4_FEATURE_INCOMPAT_64BIT)) {}

// All parts are requested before the first is read, so that a slow device can work on many at once.
void InodeWalk::walk_groups(BlockRun groups, const InodeTables& tables) {
  const Geometry& geometry = filesystem_.geometry;
  std::vector<InodeTableReader::Part> parts;
  for (std::uint64_t group = groups.first; group < groups.end(); ++group) {
    const std::uint64_t table = filesystem_.descriptors.inode_table(group);
    if (!geometry.contains({table, geometry.inode_table_blocks()}))
      findings_.add(Finding::bad_group_descriptor, 0, table);
    std::ranges::copy(table_reader_.parts_of(group, tables.of(group)), std::back_inserter(parts));
  }
  for (const auto& part : parts) filesystem_.file.prefetch(part.bytes);
  for (const auto& part : parts) walk_part(part);
}

void InodeWalk::walk_part(const InodeTableReader::Part& part) {
  table_reader_.for_each_block(
      part, [&](std::uint64_t block, std::uint64_t first_inode, std::span<const std::byte> bytes) {
        visitor_.visit(BlockClass::inode_tables, {block, 1}, 0);
        visitor_.visit_table(block, first_inode);
        table_reader_.for_each_inode(
            first_inode, bytes, [&](std::uint64_t number, const Inode& inode) { walk_inode(number, inode); });
      });
}

void InodeWalk::walk_inode(std::uint64_t number, const Inode& inode) {
  visitor_.visit_inode(number, inode);
  select_xattr_block(number, inode);
  if (filesystem_.superblock.has_translators() && inode.translator_block() != 0)
    select_block(BlockClass::xattrs, number, inode.translator_block());
  if (inode.has_inline_data() && inode.is_directory()) visitor_.visit_inline_directory(number, inode.map());
  if (inode.has_no_map()) return;
  block_maps_.add(number, inode.map(), inode.uses_extents(), contents(number, inode));
}

std::optional<BlockMapWalk::Contents> InodeWalk::contents(std::uint64_t number, const Inode& inode) const {
  if (number == EXT2_BAD_INO || number == EXT2_RESIZE_INO) return std::nullopt;  // blocks, but not contents
  const bool is_special = number < EXT2_GOOD_OLD_FIRST_INO || filesystem_.superblock.names_inode(number);
  if (!is_special && is_deleted(inode)) return std::nullopt;
  if (const auto block_class = contents_class(number, inode))
    return BlockMapWalk::Contents{*block_class,
                                  /*first_block_alone=*/number >= EXT2_GOOD_OLD_FIRST_INO &&
                                      !begins_as(*block_class, inode.map(), inode.uses_extents())};
  if (inode.may_be_a_directory_in_disguise())
    return BlockMapWalk::Contents{BlockClass::directories,
                                  /*first_block_alone=*/!begins_as_its_directory(number, inode)};
  // Only directories should have one; e2fsck checks its root. Source: e2fsck/pass1.c, handle_htree()
  if (inode.has_hash_tree())
    return BlockMapWalk::Contents{BlockClass::directories, /*first_block_alone=*/true};
  return std::nullopt;
}

// Whether its first entry is '.' and refers to itself: e2fsck then turns it back into a directory, and reads
// the rest. Otherwise the rest may be the contents of a file. Source: e2fsck/pass1.c, check_is_really_dir();
// <ext2fs/ext2_fs.h>, struct ext2_dir_entry_2
bool InodeWalk::begins_as_its_directory(std::uint64_t number, const Inode& inode) const {
  const auto block = first_block_of_file(filesystem_, inode.map(), inode.uses_extents());
  if (!block) return false;
  std::array<std::byte, 12> entry;
  filesystem_.file.read(filesystem_.geometry.bytes({*block, 1}).offset, entry);
  return load_le<std::uint32_t>(entry, 0) == number && load_le<std::uint8_t>(entry, 6) == 1 &&
         load_le<std::uint8_t>(entry, 8) == '.';
}

// The superblock names the inodes of the journal and of quotas. If it is damaged, these numbers may name an
// ordinary file, or any block at all. Like every reader of them, check the magic in the first block before
// going on. Sources of the magics: the kernel's include/linux/jbd2.h; libsupport/quotaio_v2.h
bool InodeWalk::begins_as(BlockClass block_class, std::span<const std::byte> map, bool uses_extents) const {
  if (block_class != BlockClass::journal && block_class != BlockClass::quota) return true;
  const auto block = first_block_of_file(filesystem_, map, uses_extents);
  if (!block) return false;
  std::array<std::byte, 4> magic;
  const Extent bytes{filesystem_.geometry.bytes({*block, 1}).offset, magic.size()};
  filesystem_.file.read(bytes.offset, magic);
  if (filesystem_.file.is_lost(bytes)) return true;
  if (block_class == BlockClass::journal) return load_be<std::uint32_t>(magic, 0) == JournalLog::kMagic;
  constexpr std::array<std::uint32_t, 3> kQuotas{0xd9c01f11, 0xd9c01927, 0xd9c03f14};  // user, group, project
  return std::ranges::find(kQuotas, load_le<std::uint32_t>(magic, 0)) != kQuotas.end();
}

// The blocks of a deleted inode may have been reused, say for the contents of a file. An orphan is not
// deleted yet: its deletion time is the number of the next orphan. Source: e2fsck/pass1.c, low dtimes
bool InodeWalk::is_deleted(const Inode& inode) const {
  return inode.links() == 0 && inode.deletion_time() > filesystem_.superblock.raw.s_inodes_count;
}

void InodeWalk::select_block(BlockClass block_class, std::uint64_t number, std::uint64_t block) {
  if (!filesystem_.geometry.contains({block, 1})) findings_.add(Finding::block_out_of_range, number, block);
  visitor_.visit(block_class, filesystem_.geometry.clip({block, 1}), number);
}

void InodeWalk::select_xattr_block(std::uint64_t number, const Inode& inode) {
  const std::uint64_t low = inode.xattr_block_low();
  const std::uint64_t high = inode.xattr_block_high() << 32;
  const std::uint64_t block = has_64bit_blocks_ ? low | high : low;
  if (block != 0 && !filesystem_.geometry.contains({block, 1}))
    findings_.add(Finding::block_out_of_range, number, block);
  // If the high bits are damaged, or the feature that gives them a meaning, the block is at the other number.
  for (const std::uint64_t candidate : {low, low | high}) {
    if (candidate != 0) visitor_.visit(BlockClass::xattrs, filesystem_.geometry.clip({candidate, 1}), number);
    if (high == 0) return;
  }
}

std::optional<BlockClass> InodeWalk::contents_class(std::uint64_t number, const Inode& inode) const {
  const ext2_super_block& raw = filesystem_.superblock.raw;
  if (inode.is_directory() || number == EXT2_ROOT_INO) return BlockClass::directories;
  if (number == EXT2_JOURNAL_INO || number == raw.s_journal_inum) return BlockClass::journal;
  if (number == EXT4_USR_QUOTA_INO || number == EXT4_GRP_QUOTA_INO || number == raw.s_usr_quota_inum ||
      number == raw.s_grp_quota_inum || number == raw.s_prj_quota_inum)
    return BlockClass::quota;
  if (number == raw.s_orphan_file_inum) return BlockClass::orphan_file;
  if (number < EXT2_GOOD_OLD_FIRST_INO) return BlockClass::reserved_inodes;
  if (inode.is_symlink()) return BlockClass::symlinks;
  return kind_ == DumpKind::all ? std::optional(BlockClass::data) : std::nullopt;
}

void InodeWalk::walk_fast_inodes(std::span<const FastInode> inodes) {
  for (const FastInode& inode : inodes) walk_inode(inode.number, Inode(inode.bytes));
}

void InodeWalk::walk_journal_backup() {
  const auto map = journal_map_of(filesystem_.superblock);
  if (!map) return;
  const std::span<const std::byte> bytes = *map;
  const bool is_extents = ExtentHeader(bytes).magic == EXT3_EXT_MAGIC;
  block_maps_.add(
      filesystem_.superblock.raw.s_journal_inum, bytes, is_extents,
      BlockMapWalk::Contents{BlockClass::journal, !begins_as(BlockClass::journal, bytes, is_extents)});
}

}  // namespace e2qcow::ext2
