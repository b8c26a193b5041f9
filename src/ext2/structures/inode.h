// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <ext2fs/ext2_fs.h>
#include <sys/stat.h>

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "ext2/structures/extent_node.h"

namespace e2qcow::ext2 {

// An inode as stored on the device: at least its first 128 bytes.
// Source of the fields: <ext2fs/ext2_fs.h>, struct ext2_inode
class Inode {
 public:
  explicit Inode(std::span<const std::byte> bytes) : bytes_(bytes) {}

  static constexpr std::size_t kMapSize = 60;

  std::span<const std::byte> bytes() const { return bytes_; }

  std::uint16_t mode() const { return load_le<std::uint16_t>(bytes_, 0); }
  std::uint32_t size_low() const { return load_le<std::uint32_t>(bytes_, 4); }
  std::uint32_t size_high() const { return load_le<std::uint32_t>(bytes_, 108); }
  std::uint32_t deletion_time() const { return load_le<std::uint32_t>(bytes_, 20); }
  std::uint16_t links() const { return load_le<std::uint16_t>(bytes_, 26); }
  std::uint32_t sectors_low() const { return load_le<std::uint32_t>(bytes_, 28); }
  std::uint32_t flags() const { return load_le<std::uint32_t>(bytes_, 32); }
  std::span<const std::byte> map() const { return bytes_.subspan(40, kMapSize); }
  std::uint32_t generation() const { return load_le<std::uint32_t>(bytes_, 100); }
  // A block of a file system of the Hurd, see Superblock::has_translators().
  std::uint32_t translator_block() const { return load_le<std::uint32_t>(bytes_, 36); }
  std::uint64_t xattr_block_low() const { return load_le<std::uint32_t>(bytes_, 104); }
  std::uint64_t xattr_block_high() const { return load_le<std::uint16_t>(bytes_, 118); }

  bool is_directory() const { return S_ISDIR(mode()); }
  bool is_symlink() const { return S_ISLNK(mode()); }
  bool has_inline_data() const { return (flags() & EXT4_INLINE_DATA_FL) != 0; }
  bool has_hash_tree() const { return (flags() & EXT2_INDEX_FL) != 0; }
  bool uses_extents() const { return (flags() & EXT4_EXTENTS_FL) != 0; }
  // The map holds no block numbers, but a device number, the target of a short link, or data.
  bool has_no_map() const {
    const bool device = S_ISCHR(mode()) || S_ISBLK(mode());
    const bool special = device || S_ISFIFO(mode()) || S_ISSOCK(mode());
    return (special && !may_be_a_directory_in_disguise()) || is_short_link() ||
           (has_inline_data() && !has_root_of_extents());
  }
  // The mode does not fit the map. e2fsck then looks at the first block.
  // Source: e2fsck/pass1.c, check_is_really_dir()
  bool may_be_a_directory_in_disguise() const {
    const bool normal = is_directory() || S_ISREG(mode()) || is_symlink();
    const bool device = (S_ISCHR(mode()) || S_ISBLK(mode())) && links() == 1 && has_map_of_a_device();
    return !normal && !device && load_le<std::uint32_t>(map(), 0) != 0;
  }

 private:
  // If so, e2fsck considers the flag for inline data wrong.
  bool has_root_of_extents() const { return ExtentHeader(map()).is_surely_a_root(kMapSize); }
  // A link of length 0 may still map blocks; a deleted one keeps its target, but not its length.
  // Source: libext2fs, ext2fs_is_fast_symlink()
  bool is_short_link() const {
    const bool fits = size_low() == 0 ? links() == 0 : size_low() < kMapSize;
    return is_symlink() && fits && size_high() == 0 && !uses_extents();
  }
  // A device number is in the first two words.
  bool has_map_of_a_device() const { return !uses_extents() && is_zero(map().subspan(4 * 4)); }

  std::span<const std::byte> bytes_;
};

}  // namespace e2qcow::ext2
