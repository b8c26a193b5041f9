// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/journal/fast_commit.h"

#include <algorithm>
#include <iterator>

#include "base/bytes.h"
#include "base/stop.h"
#include "ext2/journal/fast_commit_record.h"
#include "ext2/structures/checksum.h"

namespace e2qcow::ext2 {
namespace {

using Record = FastCommitRecord;
using Type = FastCommitRecord::Type;

// Collects inodes. Records that no tail of the same sequence follows, with their checksum, are old, damaged,
// or were never finished.
class FastCommits {
 public:
  explicit FastCommits(std::uint32_t sequence) : sequence_(sequence) {}

  // Returns false if nothing valid can follow.
  bool add_block(std::span<const std::byte> block) {
    std::size_t position = 0;
    while (const auto record = fast_commit_record_at(block, position)) {
      crc_ = crc32c(crc_, block.subspan(position, record->summed()));
      if (!add(*record, block.subspan(record->offset, record->length))) return false;
      position = record->end();
    }
    return block.size() - position < Record::kHead;
  }

  std::vector<FastInode> committed() && { return std::move(committed_); }

 private:
  bool add(const Record& record, std::span<const std::byte> value) {
    const auto is_current = [&](std::size_t offset) {
      return value.size() >= offset + 4 && load_le<std::uint32_t>(value, offset) == sequence_;
    };
    if (record.type == Type::head) return has_begun_ = is_current(4);
    if (!has_begun_) return false;
    if (record.type == Type::tail) {
      const bool is_whole =
          record.is_whole_tail() && load_le<std::uint32_t>(value, Record::kTailChecksum) == crc_;
      if (!is_current(0) || !is_whole) return false;
      crc_ = 0;
      std::ranges::move(pending_, std::back_inserter(committed_));
      pending_.clear();
    }
    if (record.has_inode()) {
      const auto bytes = value.subspan(Record::kInodeNumber);
      pending_.push_back({load_le<std::uint32_t>(value, 0), {bytes.begin(), bytes.end()}});
    }
    return true;
  }

  std::uint32_t sequence_;
  bool has_begun_ = false;
  std::uint32_t crc_ = 0;  // of the records since the last tail
  std::vector<FastInode> pending_;
  std::vector<FastInode> committed_;
};

}  // namespace

std::vector<FastInode> inodes_in_fast_commits(const JournalLog& log, std::uint32_t sequence) {
  FastCommits commits(sequence);
  // The first block of the area is never used. Source: jbd2, journal_load_superblock(), j_fc_first
  for (std::uint64_t index = 1; index < log.fast_commit_blocks(); ++index) {
    throw_if_stopped();
    if (!commits.add_block(log.read_fast_commit(index))) break;
  }
  return std::move(commits).committed();
}

}  // namespace e2qcow::ext2
