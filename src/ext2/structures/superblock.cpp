// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/structures/superblock.h"

#include <ext2fs/ext2fs.h>

#include <algorithm>
#include <array>
#include <bit>

#include "base/bytes.h"

namespace e2qcow::ext2 {
namespace {

static_assert(sizeof(ext2_super_block) == kSuperblockSize);

// More than a small block has bits: libext2fs opens such file systems, and reads from them before it finds
// them invalid. Source: <ext2fs/ext2_fs.h>, EXT2_MAX_INODES_PER_GROUP
constexpr std::uint64_t kMaxPerGroup = 1 << 16;

// Absent if the file ends before it, or if there is none: everything else in it may still be wrong.
std::optional<Superblock> read_with_magic(const ReadableFile& file, std::uint64_t offset) {
  if (file.size() < kSuperblockSize || offset > file.size() - kSuperblockSize) return std::nullopt;
  Superblock superblock;
  superblock.offset = offset;
  file.read(offset, std::as_writable_bytes(std::span(&superblock.raw, 1)));
  if constexpr (std::endian::native == std::endian::big) ext2fs_swap_super(&superblock.raw);
  return superblock.raw.s_magic == EXT2_SUPER_MAGIC ? std::optional(superblock) : std::nullopt;
}

// The fields without which nothing can be found. The others may be wrong (see Geometry).
bool makes_sense(const Superblock& superblock) {
  const ext2_super_block& raw = superblock.raw;
  if (raw.s_log_block_size > 6) return false;
  if (superblock.is_journal_device()) return superblock.blocks() > 0;
  const std::uint64_t max_per_group = std::max<std::uint64_t>(kMaxPerGroup, superblock.block_size() * 8ULL);
  const bool bigalloc = superblock.has_ro_compat(EXT4_FEATURE_RO_COMPAT_BIGALLOC);
  const bool blocks_fit = bigalloc || raw.s_blocks_per_group <= max_per_group;
  return raw.s_inodes_per_group > 0 && raw.s_inodes_per_group <= max_per_group &&
         raw.s_blocks_per_group >= 8 && blocks_fit && superblock.blocks() > 0;
}

}  // namespace

bool Superblock::names_inode(std::uint64_t number) const {
  return number != 0 &&
         (number == raw.s_journal_inum || number == raw.s_usr_quota_inum || number == raw.s_grp_quota_inum ||
          number == raw.s_prj_quota_inum || number == raw.s_orphan_file_inum);
}

std::uint64_t Superblock::blocks() const {
  std::uint64_t count = raw.s_blocks_count;
  if (has_incompat(EXT4_FEATURE_INCOMPAT_64BIT))
    count |= static_cast<std::uint64_t>(raw.s_blocks_count_hi) << 32;
  return count;
}

bool Superblock::has_unknown_features() const {
  // The library's list depends on how it was built.
  constexpr std::uint32_t kIncompat = EXT2_LIB_FEATURE_INCOMPAT_SUPP | EXT4_FEATURE_INCOMPAT_MMP;
  return (raw.s_feature_incompat & ~kIncompat) != 0 ||
         (raw.s_feature_ro_compat & ~static_cast<std::uint32_t>(EXT2_LIB_FEATURE_RO_COMPAT_SUPP)) != 0;
}

bool is_name_of_function(std::string_view text) {
  constexpr std::array<std::string_view, 9> kBeginnings{"ext4_",   "__ext4_", "ext3_", "ext2_", "jbd2_",
                                                        "__jbd2_", "mb_",     "dx_",   "htree_"};
  const bool is_identifier = std::ranges::all_of(
      text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
  return is_identifier && std::ranges::any_of(kBeginnings, [&](std::string_view beginning) {
           return text.starts_with(beginning);
         });
}

std::optional<Superblock> read_superblock(const ReadableFile& file, std::uint64_t offset) {
  const auto superblock = read_with_magic(file, offset);
  return superblock && makes_sense(*superblock) ? superblock : std::nullopt;
}

std::optional<Superblock> read_repaired_primary(const ReadableFile& file) {
  auto superblock = read_with_magic(file, kSuperblockOffset);
  if (!superblock || superblock->raw.s_blocks_per_group == 0 || superblock->blocks() == 0)
    return std::nullopt;
  ext2_super_block& raw = superblock->raw;
  const std::uint64_t groups = divide_up(superblock->blocks(), raw.s_blocks_per_group);
  raw.s_inodes_per_group = static_cast<std::uint32_t>(divide_up(raw.s_inodes_count, groups));
  superblock->is_repaired = true;
  return makes_sense(*superblock) ? superblock : std::nullopt;
}

}  // namespace e2qcow::ext2
