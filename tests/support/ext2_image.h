// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <ext2fs/ext2fs.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/bytes.h"
#include "ext2/selection/selection.h"
#include "ext2/structures/filesystem.h"
#include "tests/support/sparse_file.h"

namespace e2qcow::ext2 {

// A superblock of a plain ext2 file system, to be changed. Groups have as many blocks as mke2fs gives them,
// and 32 inodes of 128 bytes.
inline Superblock plain_superblock(std::uint32_t block_size, std::uint64_t blocks) {
  Superblock superblock;
  ext2_super_block& raw = superblock.raw;
  raw.s_magic = EXT2_SUPER_MAGIC;
  raw.s_rev_level = EXT2_DYNAMIC_REV;
  raw.s_log_block_size = static_cast<std::uint32_t>(std::countr_zero(block_size / 1024));
  raw.s_log_cluster_size = raw.s_log_block_size;
  raw.s_blocks_count = static_cast<std::uint32_t>(blocks);
  raw.s_blocks_count_hi = static_cast<std::uint32_t>(blocks >> 32);
  raw.s_blocks_per_group = raw.s_clusters_per_group = block_size * 8;
  raw.s_inodes_per_group = 32;
  raw.s_inodes_count = static_cast<std::uint32_t>(32 * divide_up(blocks, block_size * 8ULL));
  raw.s_inode_size = 128;
  raw.s_first_ino = 11;
  raw.s_first_data_block = block_size == 1024 ? 1 : 0;
  std::fill_n(raw.s_uuid, 16, std::uint8_t{0x5a});
  return superblock;
}

// The bytes as they are on disk.
inline Bytes superblock_bytes(const Superblock& superblock) {
  ext2_super_block raw = superblock.raw;
  if constexpr (std::endian::native == std::endian::big) ext2fs_swap_super(&raw);
  Bytes bytes(kSuperblockSize);
  std::memcpy(bytes.data(), &raw, bytes.size());
  return bytes;
}

// A file system that consists of what a test puts into it. Descriptors have 32 bytes and follow the block of
// the superblock.
class Ext2Image {
 public:
  Ext2Image(std::uint32_t block_size, std::uint64_t blocks)
      : superblock(plain_superblock(block_size, blocks)),
        disk(blocks * block_size),
        block_size_(block_size),
        descriptors_(block_size) {}

  // Descriptor fields. Source: <ext2fs/ext2_fs.h>, struct ext2_group_desc
  static constexpr std::uint64_t kBlockBitmap = 0;
  static constexpr std::uint64_t kInodeBitmap = 4;
  static constexpr std::uint64_t kInodeTable = 8;
  static constexpr std::uint64_t kFlags = 18;
  static constexpr std::uint64_t kBlockBitmapChecksum = 24;
  static constexpr std::uint64_t kChecksum = 30;
  void set_descriptor(std::uint64_t group, std::uint64_t field, std::uint64_t value) {
    set_le(descriptors_, group * 32 + field, value, field <= kInodeTable ? 4 : 2);
  }
  std::span<const std::byte> descriptor(std::uint64_t group) const {
    return std::span(descriptors_).subspan(group * 32, 32);
  }

  void put_block(std::uint64_t block, Bytes bytes) {
    bytes.resize(block_size_);
    disk.put(block * block_size_, std::move(bytes));
  }

  // After everything is put.
  Filesystem open() { return open_through(disk); }
  // `file` reads the disk in some way of its own.
  Filesystem open_through(const ReadableFile& file) {
    put_block(1024 / block_size_ + 1, descriptors_);
    return {file, superblock};
  }

  Superblock superblock;
  SparseFile disk;

 private:
  std::uint32_t block_size_;
  Bytes descriptors_;
};

// What was selected as `block_class`; runs that touch become one.
inline std::vector<BlockRun> runs_of(const std::vector<Selection::ClassRun>& runs, BlockClass block_class) {
  std::vector<BlockRun> found;
  for (const auto& run : runs) {
    if (run.block_class != block_class) continue;
    if (!found.empty() && found.back().end() == run.blocks.first)
      found.back().count += run.blocks.count;
    else
      found.push_back(run.blocks);
  }
  return found;
}

}  // namespace e2qcow::ext2
