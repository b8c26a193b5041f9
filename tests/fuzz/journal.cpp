// SPDX-License-Identifier: GPL-2.0-or-later
// A journal with its fast commits, and the disk as it will be after it was replayed. The input is the
// journal, in blocks of 1 KiB.
#include "ext2/journal/replayed_file.h"
#include "ext2/structures/inode.h"
#include "tests/fuzz/promises.h"
#include "tests/support/ext2_image.h"
#include "tests/support/extent_nodes.h"
#include "tests/support/memory_file.h"

using namespace e2qcow;

namespace {

constexpr std::uint32_t kBlockSize = 1024;
constexpr std::uint64_t kJournal = 16;  // its first block

// The journal is found by the copy of its block map, so that it needs no inode.
ext2::Superblock superblock_of(std::uint64_t journal_blocks) {
  ext2::Superblock superblock = ext2::plain_superblock(kBlockSize, kJournal + journal_blocks);
  superblock.raw.s_feature_compat = EXT3_FEATURE_COMPAT_HAS_JOURNAL;
  superblock.raw.s_jnl_backup_type = EXT3_JNL_BACKUP_BLOCKS;
  const Bytes map = ext2::extent_leaf({{kJournal, journal_blocks}});
  for (std::size_t i = 0; i < map.size() / 4; ++i)
    superblock.raw.s_jnl_blocks[i] = load_le<std::uint32_t>(map, i * 4);
  return superblock;
}

void read_all(const ext2::ReplayedFile& file) {
  Bytes bytes(file.size());
  file.read(0, bytes);
  std::uint64_t position = 0;
  while (const auto data = file.next_data(position)) {
    require(data->offset >= position && !data->empty() && data->end() <= file.size());
    position = data->end();
    if (position == file.size()) break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::uint64_t journal_blocks = size / kBlockSize;
  if (journal_blocks == 0) return 0;
  const auto journal = std::as_bytes(std::span(data, journal_blocks * kBlockSize));
  Bytes disk(kJournal * kBlockSize);
  disk.insert(disk.end(), journal.begin(), journal.end());
  const MemoryFile file(std::move(disk));
  const ext2::Filesystem filesystem(file, superblock_of(journal_blocks));
  ext2::Replay replay = ext2::read_journal(filesystem);
  for (const auto& [block, from] : replay.blocks)
    require(block < filesystem.geometry.blocks() && from.device_block >= kJournal &&
            from.device_block < filesystem.geometry.blocks());
  for (const ext2::FastInode& inode : replay.inodes) require(inode.bytes.size() >= EXT2_GOOD_OLD_INODE_SIZE);
  read_all(ext2::ReplayedFile(file, file, kBlockSize, std::move(replay.blocks)));
  return 0;
}
