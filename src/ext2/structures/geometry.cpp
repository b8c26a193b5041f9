// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/structures/geometry.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "base/bytes.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::uint64_t kMaxBytes = std::numeric_limits<std::uint64_t>::max();

bool is_power_of(std::uint64_t value, std::uint64_t base) {
  while (value % base == 0) value /= base;
  return value == 1;
}

std::uint32_t sane_inode_size(const Superblock& superblock) {
  if (superblock.raw.s_rev_level == EXT2_GOOD_OLD_REV) return EXT2_GOOD_OLD_INODE_SIZE;
  const std::uint32_t size = superblock.raw.s_inode_size;
  const bool sane =
      size >= EXT2_GOOD_OLD_INODE_SIZE && size <= superblock.block_size() && std::has_single_bit(size);
  return sane ? size : EXT2_GOOD_OLD_INODE_SIZE;
}

std::uint32_t sane_descriptor_size(const Superblock& superblock) {
  if (!superblock.has_incompat(EXT4_FEATURE_INCOMPAT_64BIT)) return EXT2_MIN_DESC_SIZE;
  const std::uint32_t size = superblock.raw.s_desc_size;
  const bool sane =
      size >= EXT2_MIN_DESC_SIZE_64BIT && size <= superblock.block_size() && std::has_single_bit(size);
  return sane ? size : EXT2_MIN_DESC_SIZE_64BIT;
}

std::uint32_t sane_cluster_blocks(const Superblock& superblock) {
  const ext2_super_block& raw = superblock.raw;
  const bool bigalloc = superblock.has_ro_compat(EXT4_FEATURE_RO_COMPAT_BIGALLOC);
  if (!bigalloc || raw.s_log_cluster_size < raw.s_log_block_size || raw.s_log_cluster_size > 20) return 1;
  return 1U << (raw.s_log_cluster_size - raw.s_log_block_size);
}

}  // namespace

Geometry::Geometry(const Superblock& superblock, std::uint64_t device_size)
    : block_size_(superblock.block_size()),
      claimed_blocks_(std::min(superblock.blocks(), kMaxBytes / block_size_)),
      blocks_(std::min(claimed_blocks_, device_size / block_size_)),
      cluster_blocks_(sane_cluster_blocks(superblock)),
      first_data_block_(block_size_ == 1024 && cluster_blocks_ == 1 ? 1 : 0),
      blocks_per_group_(superblock.raw.s_blocks_per_group),
      groups_(superblock.is_journal_device() ? 0 : count_groups(superblock, device_size)),
      inodes_per_group_(superblock.raw.s_inodes_per_group),
      inode_size_(sane_inode_size(superblock)),
      descriptor_size_(sane_descriptor_size(superblock)),
      inode_table_blocks_(
          divide_up(static_cast<std::uint64_t>(inodes_per_group_) * inode_size_, block_size_)),
      used_superblock_block_(superblock.offset / block_size_),
      first_meta_group_(std::numeric_limits<std::uint64_t>::max()),
      sparse_super_(superblock.has_ro_compat(EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER)),
      sparse_super2_(superblock.has_compat(EXT4_FEATURE_COMPAT_SPARSE_SUPER2)),
      backup_groups_{superblock.raw.s_backup_bgs[0], superblock.raw.s_backup_bgs[1]} {
  if (superblock.has_incompat(EXT2_FEATURE_INCOMPAT_META_BG))
    first_meta_group_ = superblock.raw.s_first_meta_bg;
}

// Groups past the end of a truncated device count too, up to the number of inodes: their tables may be on the
// device. Absurd claims must cost nothing: more groups than the device has room to describe, more than any
// file system has, or millions of tiny groups without inodes.
std::uint64_t Geometry::count_groups(const Superblock& superblock, std::uint64_t device_size) const {
  constexpr std::uint64_t kMaxMissingGroups = 1 << 18;
  constexpr std::uint64_t kMaxWithoutInodes = 1 << 16;
  // 512 TiB in groups of 128 MiB, with descriptors of 64 bytes; both bound the memory.
  constexpr std::uint64_t kMaxGroups = 1 << 22;
  constexpr std::uint64_t kMaxDescriptorBytes = 256 << 20;
  const auto groups_of = [&](std::uint64_t blocks) {
    return divide_up(blocks - std::min(blocks, first_data_block_), blocks_per_group_);
  };
  const std::uint64_t present = groups_of(blocks_);
  const std::uint64_t with_inodes =
      divide_up(std::uint64_t{superblock.raw.s_inodes_count}, superblock.raw.s_inodes_per_group);
  const std::uint64_t believed = std::max(std::min(present, kMaxWithoutInodes), with_inodes);
  const std::uint64_t max_descriptor_bytes = std::min(device_size, kMaxDescriptorBytes);
  return std::min({groups_of(claimed_blocks_), believed, present + kMaxMissingGroups, kMaxGroups,
                   max_descriptor_bytes / sane_descriptor_size(superblock)});
}

BlockRun Geometry::group(std::uint64_t group) const {
  return clip({first_data_block_ + group * blocks_per_group_, blocks_per_group_});
}

std::optional<std::uint64_t> Geometry::group_of(std::uint64_t block) const {
  if (block < first_data_block_ || groups_ == 0) return std::nullopt;
  const std::uint64_t group = (block - first_data_block_) / blocks_per_group_;
  return group < groups_ ? std::optional(group) : std::nullopt;
}

std::optional<Geometry::InodePlace> Geometry::place_of_inode(std::uint64_t number) const {
  if (number == 0 || groups_ == 0) return std::nullopt;  // a journal device has no inodes, either
  const InodePlace place{(number - 1) / inodes_per_group_, (number - 1) % inodes_per_group_};
  return place.group < groups_ ? std::optional(place) : std::nullopt;
}

std::size_t Geometry::descriptor_bytes_in(std::uint64_t block) const {
  const auto group = group_of(block);
  const BlockRun run = group ? descriptors_in(*group) : BlockRun{};
  if (block < run.first || block >= run.end()) return block_size_;
  const std::uint64_t per_block = block_size_ / descriptor_size_;
  const std::uint64_t index = has_first_descriptors(*group) ? block - run.first : *group / per_block;
  const std::uint64_t used = groups_ * descriptor_size_;
  return std::min<std::uint64_t>(block_size_, used - std::min(used, index * block_size_));
}

BlockRun Geometry::clip(BlockRun run) const {
  if (run.first >= blocks_) return {blocks_, 0};
  return {run.first, std::min(run.count, blocks_ - run.first)};
}

bool Geometry::has_superblock(std::uint64_t group) const {
  if (group == 0) return true;
  if (sparse_super2_) return group == backup_groups_[0] || group == backup_groups_[1];
  if (group == 1 || !sparse_super_) return true;
  return is_power_of(group, 3) || is_power_of(group, 5) || is_power_of(group, 7);
}

std::uint64_t Geometry::superblock_block(std::uint64_t group) const {
  // With bigalloc and 1 KiB blocks the first group begins at block 0, but the superblock is in block 1.
  if (group == 0) return kSuperblockOffset / block_size_;
  return first_data_block_ + group * blocks_per_group_;
}

std::uint64_t Geometry::descriptor_block_count() const {
  return divide_up(groups_, block_size_ / descriptor_size_);
}

BlockRun Geometry::descriptors_in(std::uint64_t group) const {
  const std::uint64_t per_block = block_size_ / descriptor_size_;
  const std::uint64_t in_front = std::min(descriptor_block_count(), first_meta_group_);
  const std::uint64_t begin = superblock_block(group) + (has_superblock(group) ? 1 : 0);
  if (group / per_block < first_meta_group_) return clip({begin, has_superblock(group) ? in_front : 0});
  const std::uint64_t index = group % per_block;  // in its meta group
  if (index != 0 && index != 1 && index != per_block - 1) return {};
  return clip({begin, 1});
}

std::vector<std::uint64_t> Geometry::descriptor_blocks() const {
  const std::uint64_t per_block = block_size_ / descriptor_size_;
  const bool from_backup = used_superblock_block_ != superblock_block(0);
  std::vector<std::uint64_t> blocks;
  for (std::uint64_t i = 0; i < descriptor_block_count(); ++i) {
    if (i < first_meta_group_) {
      blocks.push_back(used_superblock_block_ + 1 + i);
      continue;
    }
    std::uint64_t holder = i * per_block;
    if (from_backup && holder + 1 < groups_) ++holder;
    blocks.push_back(superblock_block(holder) + (has_superblock(holder) ? 1 : 0));
  }
  return blocks;
}

}  // namespace e2qcow::ext2
