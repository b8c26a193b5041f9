// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/journal/recovery.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/extents.h"
#include "base/stop.h"
#include "ext2/journal/journal_log.h"
#include "ext2/structures/checksum.h"
#include "ext2/structures/extent_node.h"
#include "ext2/structures/file_blocks.h"
#include "ext2/structures/inode_table_reader.h"

namespace e2qcow::ext2 {
namespace {

// A journal contains no block twice, so it is no longer than the file system. The other limit is that of
// libext2fs, JFS_MAX_JOURNAL_BLOCKS.
std::uint64_t max_journal_blocks(const Filesystem& filesystem) {
  return std::min<std::uint64_t>(filesystem.geometry.blocks(), 10'240'000);
}

// The log on a device of its own: it begins in the block behind that of the superblock. Source: libext2fs,
// ext2fs_journal_sb_start()
BlockRun log_of_device(const Filesystem& journal) {
  const std::uint64_t first = journal.geometry.block_size() == 1024 ? 2 : 1;
  return journal.geometry.clip({first, journal.geometry.blocks() - first});
}

// Sequence numbers of transactions go round. Source: the kernel's include/linux/jbd2.h, tid_gt()
constexpr std::uint32_t sequence_after(std::uint32_t sequence) {
  return sequence == std::numeric_limits<std::uint32_t>::max() ? 0 : sequence + 1;
}
constexpr bool is_later(std::uint32_t sequence, std::uint32_t other) {
  return static_cast<std::int32_t>(std::int64_t{sequence} - std::int64_t{other}) > 0;
}

// Reads the log transaction by transaction. Only committed ones count.
class Recovery {
 public:
  Recovery(const JournalLog& log, const Geometry& geometry) : log_(log), geometry_(geometry) {}

  Replay run() && {
    std::uint64_t position = log_.start();
    std::uint32_t sequence = log_.first_sequence();
    while (has_more()) {
      throw_if_stopped();
      const auto block = log_.read(position);
      if (!is_part_of(block, sequence)) break;
      const auto type = static_cast<JournalLog::BlockType>(load_be<std::uint32_t>(block, 4));
      if (!log_.has_right_checksum(type, block)) break;
      advance(position);
      if (type == JournalLog::BlockType::descriptor)
        add_descriptor(block, sequence, position);
      else if (type == JournalLog::BlockType::revoke)
        add_revocations(block, sequence);
      else if (type == JournalLog::BlockType::commit) {
        if (log_.has_transaction_checksums() && !JournalLog::confirms(block, checksum_)) break;
        commit();
        sequence = sequence_after(sequence);
      } else
        break;
    }
    return {std::move(*this).newest(), inodes_in_fast_commits(log_, sequence)};
  }

 private:
  struct Write {
    std::uint64_t block;
    std::uint32_t sequence;
    JournaledBlock from;
  };

  static bool is_part_of(std::span<const std::byte> block, std::uint32_t sequence) {
    return block.size() >= JournalLog::kHeaderBytes &&
           load_be<std::uint32_t>(block, 0) == JournalLog::kMagic &&
           load_be<std::uint32_t>(block, 8) == sequence;
  }

  // The log is a ring: stop before blocks that were read already.
  bool has_more() const { return passed_ < log_.length(); }
  void advance(std::uint64_t& position) {
    position = log_.after(position);
    ++passed_;
  }

  // The blocks that a descriptor names follow it in the log.
  void add_descriptor(std::span<const std::byte> block, std::uint32_t sequence, std::uint64_t& position) {
    const bool is_summed = log_.has_transaction_checksums();
    if (is_summed) checksum_ = crc32_be(checksum_, block);
    for (const JournalLog::Tag& tag : log_.tags_in(block)) {
      if (!has_more()) return;
      if (is_summed) checksum_ = crc32_be(checksum_, log_.read(position));
      const auto device_block = log_.device_block_of(position);
      advance(position);
      if (!device_block || geometry_.clip({tag.block, 1}).count == 0) continue;
      if (log_.has_right_checksum(tag, sequence, *device_block))
        pending_.push_back({tag.block, sequence, {*device_block, tag.is_escaped}});
    }
  }

  void add_revocations(std::span<const std::byte> block, std::uint32_t sequence) {
    for (const std::uint64_t revoked : log_.revocations_in(block))
      pending_revocations_.push_back({revoked, sequence, {}});
  }

  void commit() {
    committed_.insert(committed_.end(), pending_.begin(), pending_.end());
    for (const Write& revoked : pending_revocations_) revoked_[revoked.block] = revoked.sequence;
    checksum_ = ~0U;
    pending_.clear();
    pending_revocations_.clear();
  }

  // A revoked block keeps its contents on disk, unless a later transaction wrote it again.
  JournaledBlocks newest() && {
    JournaledBlocks blocks;
    for (const Write& write : committed_) {
      const auto revoked = revoked_.find(write.block);
      const bool still_counts = revoked == revoked_.end() || is_later(write.sequence, revoked->second);
      if (still_counts) blocks[write.block] = write.from;
    }
    return blocks;
  }

  const JournalLog& log_;
  const Geometry& geometry_;
  std::uint64_t passed_ = 0;      // blocks of the log
  std::uint32_t checksum_ = ~0U;  // of the transaction so far
  std::vector<Write> pending_;
  std::vector<Write> pending_revocations_;
  std::vector<Write> committed_;
  std::unordered_map<std::uint64_t, std::uint32_t> revoked_;  // block -> the last sequence that did
};

}  // namespace

std::vector<BlockRun> journal_blocks(const Filesystem& filesystem) {
  const auto bytes = read_inode(filesystem, filesystem.superblock.raw.s_journal_inum);
  if (!bytes) return {};
  const Inode inode(*bytes);
  return blocks_of_file(filesystem, inode.map(), inode.uses_extents(), max_journal_blocks(filesystem));
}

std::vector<Extent> journal_extents(const Filesystem& filesystem) {
  std::vector<Extent> extents;
  for (const BlockRun& run : journal_blocks(filesystem))
    if (run.first != 0) extents.push_back(filesystem.geometry.bytes(run));
  return sorted_and_joined(std::move(extents));
}

std::vector<BlockRun> backed_up_journal_blocks(const Filesystem& filesystem) {
  const auto map = journal_map_of(filesystem.superblock);
  if (!map) return {};
  const std::span<const std::byte> bytes = *map;
  const bool uses_extents = ExtentHeader(bytes).magic == EXT3_EXT_MAGIC;
  return blocks_of_file(filesystem, bytes, uses_extents, max_journal_blocks(filesystem));
}

std::uint32_t users_of_journal(const Filesystem& journal) {
  const auto log = JournalLog::open_any(journal, {log_of_device(journal)});
  return log ? log->users() : 0;
}

Replay read_journal(const Filesystem& filesystem) {
  if (!filesystem.superblock.has_compat(EXT3_FEATURE_COMPAT_HAS_JOURNAL)) return {};
  if (const Filesystem* journal = filesystem.external_journal) {
    const auto log = JournalLog::open(*journal, {log_of_device(*journal)});
    return log ? Recovery(*log, filesystem.geometry).run() : Replay{};
  }
  for (const auto& blocks : {journal_blocks(filesystem), backed_up_journal_blocks(filesystem)})
    if (const auto log = JournalLog::open(filesystem, blocks))
      return Recovery(*log, filesystem.geometry).run();
  return {};
}

}  // namespace e2qcow::ext2
