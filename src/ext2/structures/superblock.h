// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>
#include <ext2fs/ext2_fs.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace e2qcow::ext2 {

constexpr std::uint64_t kSuperblockOffset = 1024;  // of the primary, in bytes
constexpr std::uint64_t kSuperblockSize = 1024;
constexpr std::uint32_t kMaxBlockSize = 65536;

// A copy of the superblock that makes sense, in the host's byte order, and where it was found.
struct Superblock {
  ext2_super_block raw{};
  std::uint64_t offset = kSuperblockOffset;  // bytes, in the device
  bool is_repaired = false;                  // see read_repaired_primary

  bool is_primary() const { return offset == kSuperblockOffset; }
  std::uint32_t block_size() const { return 1024U << raw.s_log_block_size; }
  std::uint64_t blocks() const;  // as it claims
  // It holds nothing but the journal of another file system: no inodes. With inodes the flag is damaged.
  bool is_journal_device() const {
    return has_incompat(EXT3_FEATURE_INCOMPAT_JOURNAL_DEV) && raw.s_inodes_per_group == 0;
  }
  bool needs_recovery() const { return has_incompat(EXT3_FEATURE_INCOMPAT_RECOVER); }
  // Whether it says that the inode is that of the journal, a quota, or the orphan file.
  bool names_inode(std::uint64_t number) const;
  bool has_compat(std::uint32_t feature) const { return (raw.s_feature_compat & feature) != 0; }
  bool has_incompat(std::uint32_t feature) const { return (raw.s_feature_incompat & feature) != 0; }
  bool has_ro_compat(std::uint32_t feature) const { return (raw.s_feature_ro_compat & feature) != 0; }
};

// The copy at the given place, if one is there that makes sense.
std::optional<Superblock> read_superblock(const ReadableFile& file, std::uint64_t offset);

// The primary, with as many inodes in a group as there must be for all. To be asked for where neither it nor
// a backup makes sense: e2fsck opens it whatever it says of that.
std::optional<Superblock> read_repaired_primary(const ReadableFile& file);

}  // namespace e2qcow::ext2
