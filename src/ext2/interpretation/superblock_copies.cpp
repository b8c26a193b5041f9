// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/interpretation/superblock_copies.h"

#include <algorithm>
#include <memory>

#include "base/stop.h"
#include "ext2/interpretation/superblock_search.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::size_t kMaxOwnCopies = 32;  // a file system without sparse_super has one in each group

// The fields of a superblock that decide where its structures are.
std::vector<std::uint64_t> geometry_fields(const Superblock& superblock) {
  const ext2_super_block& raw = superblock.raw;
  const bool journal = superblock.has_compat(EXT3_FEATURE_COMPAT_HAS_JOURNAL);
  return {superblock.blocks(),
          raw.s_inodes_count,
          raw.s_first_data_block,
          raw.s_log_block_size,
          raw.s_log_cluster_size,
          raw.s_blocks_per_group,
          raw.s_clusters_per_group,
          raw.s_inodes_per_group,
          raw.s_rev_level,
          raw.s_inode_size,
          raw.s_desc_size,
          raw.s_reserved_gdt_blocks,
          raw.s_first_meta_bg,
          raw.s_backup_bgs[0],
          raw.s_backup_bgs[1],
          raw.s_mmp_block,
          journal ? raw.s_journal_inum : 0,
          raw.s_usr_quota_inum,
          raw.s_grp_quota_inum,
          raw.s_prj_quota_inum,
          raw.s_orphan_file_inum,
          superblock.has_compat(EXT4_FEATURE_COMPAT_SPARSE_SUPER2),
          superblock.has_incompat(EXT2_FEATURE_INCOMPAT_META_BG),
          superblock.has_incompat(EXT4_FEATURE_INCOMPAT_64BIT),
          superblock.is_journal_device(),
          superblock.has_ro_compat(EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER),
          superblock.has_ro_compat(EXT4_FEATURE_RO_COMPAT_BIGALLOC)};
}

bool have_same_tables(const Filesystem& a, const Filesystem& b) {
  if (a.geometry.groups() != b.geometry.groups()) return false;
  for (std::uint64_t group = 0; group < a.geometry.groups(); ++group)
    if (a.descriptors.block_bitmap(group) != b.descriptors.block_bitmap(group) ||
        a.descriptors.inode_bitmap(group) != b.descriptors.inode_bitmap(group) ||
        a.descriptors.inode_table(group) != b.descriptors.inode_table(group))
      return false;
  return true;
}

bool tell_the_same(const Filesystem& a, const Filesystem& b) {
  return geometry_fields(a.superblock) == geometry_fields(b.superblock) && have_same_tables(a, b);
}

// Offsets of the copies that the file system should have, the primary first. Group 1 always counts: only
// sparse_super2 may have none there, and that bit may be wrong.
std::vector<std::uint64_t> own_copies(const Geometry& geometry) {
  std::vector<std::uint64_t> offsets{kSuperblockOffset};
  for (std::uint64_t group = 1; group < geometry.groups() && offsets.size() < kMaxOwnCopies; ++group)
    if (group == 1 || geometry.has_superblock(group))
      offsets.push_back(geometry.superblock_block(group) * geometry.block_size());
  return offsets;
}

// The file system is too small for backups: what is at the usual offsets belongs to an earlier one. But if it
// has too many inodes, its number of blocks is wrong; e2fsck then looks for backups too.
bool is_rightly_alone(const Filesystem& filesystem) {
  const Geometry& geometry = filesystem.geometry;
  return filesystem.superblock.is_primary() && geometry.groups() <= 1 &&
         filesystem.superblock.raw.s_inodes_count == geometry.groups() * geometry.inodes_per_group();
}

// Looks at one copy after the other, each with the descriptors after it.
class Search {
 public:
  Search(const Filesystem& filesystem, std::size_t limit) : filesystem_(filesystem), limit_(limit) {}

  void look_at(std::uint64_t offset) {
    throw_if_stopped();
    if (offset == filesystem_.superblock.offset || found_.size() >= limit_) return;
    const auto copy = read_superblock(filesystem_.file, offset);
    if (!copy) return;
    auto candidate = std::make_unique<Filesystem>(filesystem_.file, *copy);
    const Geometry& geometry = candidate->geometry;  // its own group number may be wrong
    const auto group = geometry.group_of(offset / geometry.block_size());
    if (group && !geometry.has_first_descriptors(*group)) return;
    if (tell_the_same(*candidate, filesystem_)) {
      is_confirmed_ = true;
      return;
    }
    const bool known =
        std::ranges::any_of(found_, [&](const auto& other) { return tell_the_same(*other, *candidate); });
    if (!known) found_.push_back(std::move(candidate));
  }

  bool is_confirmed() const { return is_confirmed_; }
  std::vector<Superblock> found() const {
    std::vector<Superblock> superblocks;
    for (const auto& filesystem : found_) superblocks.push_back(filesystem->superblock);
    return superblocks;
  }

 private:
  const Filesystem& filesystem_;
  std::size_t limit_;
  bool is_confirmed_ = false;
  std::vector<std::unique_ptr<Filesystem>> found_;
};

}  // namespace

std::vector<Superblock> differing_copies(const Filesystem& filesystem, std::size_t limit) {
  const std::vector<std::uint64_t> own = own_copies(filesystem.geometry);
  for (const std::uint64_t offset : own) filesystem.file.prefetch({offset, kSuperblockSize});
  Search search(filesystem, limit);
  for (const std::uint64_t offset : own) search.look_at(offset);
  // Without a primary, e2fsck may find a copy of another file system first.
  const bool is_backup = !filesystem.superblock.is_primary();
  if (is_backup || (!search.is_confirmed() && !is_rightly_alone(filesystem)))
    for (const std::uint64_t offset : usual_superblock_offsets()) search.look_at(offset);
  return search.found();
}

}  // namespace e2qcow::ext2
