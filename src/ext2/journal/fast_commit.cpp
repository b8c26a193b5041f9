// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/journal/fast_commit.h"

#include <ext2fs/ext2_fs.h>

#include <algorithm>
#include <iterator>

#include "base/bytes.h"
#include "base/stop.h"
#include "ext2/structures/checksum.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::size_t kTagBytes = 4;     // type and length of what follows
constexpr std::size_t kNumberBytes = 4;  // before an inode, and in a tail
constexpr std::size_t kTailBytes = 8;
enum class Tag : std::uint16_t { inode = 6, padding = 7, tail = 8, head = 9 };

// Collects inodes from tags. Tags that no tail of the same sequence follows, with their checksum, are old,
// damaged, or were never finished.
class FastCommits {
 public:
  explicit FastCommits(std::uint32_t sequence) : sequence_(sequence) {}

  // Returns false if nothing valid can follow.
  bool add_block(std::span<const std::byte> block) {
    while (block.size() >= kTagBytes) {
      const auto tag = static_cast<Tag>(load_le<std::uint16_t>(block, 0));
      const std::size_t length = load_le<std::uint16_t>(block, 2);
      if (length > block.size() - kTagBytes) return false;
      // A tail has its sequence and the checksum of everything before that.
      const bool is_tail = tag == Tag::tail && length >= kTailBytes;
      crc_ = crc32c(crc_, block.first(kTagBytes + (is_tail ? kNumberBytes : length)));
      if (!add(tag, block.subspan(kTagBytes, length))) return false;
      block = block.subspan(kTagBytes + length);
    }
    return true;
  }

  std::vector<FastInode> committed() && { return std::move(committed_); }

 private:
  bool add(Tag tag, std::span<const std::byte> value) {
    const auto is_current = [&](std::size_t offset) {
      return value.size() >= offset + 4 && load_le<std::uint32_t>(value, offset) == sequence_;
    };
    if (tag == Tag::head) return has_begun_ = is_current(4);
    if (!has_begun_ || tag > Tag::head || static_cast<std::uint16_t>(tag) == 0) return false;
    if (tag == Tag::tail) {
      const bool is_whole = value.size() >= kTailBytes && load_le<std::uint32_t>(value, kNumberBytes) == crc_;
      if (!is_current(0) || !is_whole) return false;
      crc_ = 0;
      std::ranges::move(pending_, std::back_inserter(committed_));
      pending_.clear();
    }
    if (tag == Tag::inode && value.size() >= kNumberBytes + EXT2_GOOD_OLD_INODE_SIZE) {
      const auto bytes = value.subspan(kNumberBytes);
      pending_.push_back({load_le<std::uint32_t>(value, 0), {bytes.begin(), bytes.end()}});
    }
    return true;
  }

  std::uint32_t sequence_;
  bool has_begun_ = false;
  std::uint32_t crc_ = 0;  // of the tags since the last tail
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
