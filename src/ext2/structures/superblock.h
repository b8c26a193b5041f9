// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>
#include <ext2fs/ext2_fs.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace e2qcow::ext2 {

constexpr std::uint64_t kSuperblockOffset = 1024;  // of the primary, in bytes
constexpr std::uint64_t kSuperblockSize = 1024;
constexpr std::uint32_t kMaxBlockSize = 65536;

// A valid copy of the superblock, in the host's byte order, and where it was found.
struct Superblock {
  ext2_super_block raw{};
  std::uint64_t offset = kSuperblockOffset;  // bytes, in the device
  bool is_repaired = false;                  // see read_repaired_primary

  bool is_primary() const { return offset == kSuperblockOffset; }
  std::uint32_t block_size() const { return 1024U << raw.s_log_block_size; }
  std::uint64_t blocks() const;  // as it claims
  // It holds only the journal of another file system. If it has inodes, the flag is damaged.
  bool is_journal_device() const {
    return has_incompat(EXT3_FEATURE_INCOMPAT_JOURNAL_DEV) && raw.s_inodes_per_group == 0;
  }
  bool needs_recovery() const { return has_incompat(EXT3_FEATURE_INCOMPAT_RECOVER); }
  // Inodes may have a block with the program that serves them. Source: libext2fs, ext2fs_block_iterate3()
  bool has_translators() const { return raw.s_creator_os == EXT2_OS_HURD; }
  // The journal is on another device, which has the UUID raw.s_journal_uuid.
  bool has_external_journal() const {
    return has_compat(EXT3_FEATURE_COMPAT_HAS_JOURNAL) && raw.s_journal_inum == 0 &&
           std::ranges::any_of(raw.s_journal_uuid, [](std::uint8_t byte) { return byte != 0; });
  }
  // Of the journal's inode, as the superblock remembers it; 0 if it does not.
  std::uint64_t journal_bytes() const {
    return raw.s_jnl_backup_type == 1 ? raw.s_jnl_blocks[16] | std::uint64_t{raw.s_jnl_blocks[15]} << 32 : 0;
  }
  // Incompatible ones, read-only or not: there may be structures that only a later version finds.
  bool has_unknown_features() const;
  // Whether it names the inode as that of the journal, a quota, or the orphan file.
  bool names_inode(std::uint64_t number) const;
  bool has_compat(std::uint32_t feature) const { return (raw.s_feature_compat & feature) != 0; }
  bool has_incompat(std::uint32_t feature) const { return (raw.s_feature_incompat & feature) != 0; }
  bool has_ro_compat(std::uint32_t feature) const { return (raw.s_feature_ro_compat & feature) != 0; }
};

// The copy at this offset, if it is valid.
std::optional<Superblock> read_superblock(const ReadableFile& file, std::uint64_t offset);

// Whether the text is the name of a function of the kernel, as superblocks have of those that found an error.
bool is_name_of_function(std::string_view text);

// The primary, with its number of inodes per group recomputed from the totals. For file systems with neither
// a valid primary nor a backup: e2fsck opens them whatever that field holds.
std::optional<Superblock> read_repaired_primary(const ReadableFile& file);

}  // namespace e2qcow::ext2
