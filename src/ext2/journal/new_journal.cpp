// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/journal/new_journal.h"

#include <e2qcow/error.h>
#include <ext2fs/ext2fs.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <vector>

#include "base/bytes.h"
#include "ext2/journal/journal_log.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::uint64_t kFewestBlocks = 1024;  // the kernel's JBD2_MIN_JOURNAL_BLOCKS

// The block after that of the device's superblock.
std::uint32_t log_superblock(std::uint32_t block_size) {
  return block_size == kSuperblockOffset ? 2 : 1;
}

// The superblock of the device, which says only that it is one with a journal.
ext2_super_block device_superblock(const Superblock& filesystem, std::uint32_t blocks) {
  ext2_super_block raw{};
  raw.s_magic = EXT2_SUPER_MAGIC;
  raw.s_rev_level = EXT2_DYNAMIC_REV;
  raw.s_state = EXT2_VALID_FS;
  raw.s_feature_incompat = EXT3_FEATURE_INCOMPAT_JOURNAL_DEV;
  raw.s_first_data_block = log_superblock(filesystem.block_size()) - 1;
  raw.s_log_block_size = raw.s_log_cluster_size = filesystem.raw.s_log_block_size;
  raw.s_blocks_count = blocks;
  std::ranges::copy(filesystem.raw.s_journal_uuid, raw.s_uuid);
  if constexpr (std::endian::native == std::endian::big) ext2fs_swap_super(&raw);
  return raw;
}

// All numbers are big endian. Source: the kernel's struct journal_superblock_s
void put_log_superblock(const Superblock& filesystem, std::uint32_t blocks, std::span<std::byte> block) {
  using Type = JournalLog::BlockType;
  store_be(block, 0, JournalLog::kMagic);
  store_be(block, 4, static_cast<std::uint32_t>(Type::superblock_v2));
  store_be(block, 12, filesystem.block_size());
  store_be(block, 16, blocks);
  store_be(block, 20, log_superblock(filesystem.block_size()) + 1);  // where the log begins
  store_be(block, 24, std::uint32_t{1});                             // the next transaction
  std::ranges::copy(std::as_bytes(std::span(filesystem.raw.s_journal_uuid)), block.begin() + 48);
  store_be(block, 64, std::uint32_t{1});  // users
  std::ranges::copy(std::as_bytes(std::span(filesystem.raw.s_uuid)), block.begin() + 256);
}

}  // namespace

std::uint64_t usual_journal_size(const Superblock& filesystem) {
  const int blocks = ext2fs_default_journal_size(filesystem.blocks());
  return std::max<std::uint64_t>(std::max(blocks, 0), kFewestBlocks) * filesystem.block_size();
}

void write_new_journal(const Superblock& filesystem, File& file) {
  const std::uint32_t size = filesystem.block_size();
  const std::uint64_t blocks =
      std::min<std::uint64_t>(file.size() / size, std::numeric_limits<std::uint32_t>::max());
  if (blocks < kFewestBlocks)
    fail(Errc::too_small, fmt::format("{}: too small: it has {} bytes, a journal has at least {}",
                                      file.name(), file.size(), kFewestBlocks * size));
  const std::uint64_t log = log_superblock(size);
  std::vector<std::byte> begin((log + 1) * size);
  const ext2_super_block device = device_superblock(filesystem, static_cast<std::uint32_t>(blocks));
  std::ranges::copy(std::as_bytes(std::span(&device, 1)), begin.begin() + kSuperblockOffset);
  put_log_superblock(filesystem, static_cast<std::uint32_t>(blocks), std::span(begin).subspan(log * size));
  file.write(0, begin);
}

}  // namespace e2qcow::ext2
