// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// The log in a journal: a ring of blocks, and what they hold. All numbers in a journal are big endian.
// Source of the format: the kernel's include/linux/jbd2.h
class JournalLog {
 public:
  static constexpr std::uint32_t kMagic = 0xc03b3998;
  static constexpr std::size_t kHeaderBytes = 12;
  static constexpr std::size_t kUuidBytes = 16;
  enum class BlockType : std::uint32_t {
    descriptor = 1,
    commit = 2,
    superblock_v1 = 3,
    superblock_v2 = 4,
    revoke = 5
  };

  // `blocks` are those of the journal, in order. Absent if it has no valid superblock, or nothing to replay.
  static std::optional<JournalLog> open(const Filesystem& filesystem, std::vector<BlockRun> blocks);
  // The same, but also if there is nothing to replay: for what replayed transactions left.
  static std::optional<JournalLog> open_any(const Filesystem& filesystem, std::vector<BlockRun> blocks);

  // Positions are block numbers in the journal, from 0.
  std::uint64_t start() const { return start_; }
  std::uint32_t first_sequence() const { return first_sequence_; }
  std::uint32_t users() const { return users_; }  // of a journal on a device of its own
  std::uint64_t length() const { return end_ - std::min(first_, start_); }
  // The next position. If the log ends there and is no ring, no block of the device belongs to it.
  std::uint64_t after(std::uint64_t position) const {
    ++position;
    return position == end_ && first_ < end_ ? first_ : position;
  }

  // The block of the device that holds a position of the log. Absent in a hole and past the end.
  std::optional<std::uint64_t> device_block_of(std::uint64_t position) const;
  // Empty in a hole and past the end.
  std::vector<std::byte> read(std::uint64_t position) const;
  // The area of fast commits, after the log.
  std::uint64_t fast_commit_blocks() const { return area_end_ - end_; }
  std::vector<std::byte> read_fast_commit(std::uint64_t index) const { return read_block(end_ + index); }
  std::optional<std::uint64_t> device_block_of_fast_commit(std::uint64_t index) const {
    return device_block_in_area(end_ + index);
  }

  struct Tag {
    std::uint64_t block;  // of the file system
    std::uint32_t checksum;
    bool is_escaped;
    std::size_t offset;  // in the descriptor
    std::size_t bytes;   // with a UUID behind it, if there is one
  };
  std::vector<Tag> tags_in(std::span<const std::byte> descriptor) const;
  std::vector<std::uint64_t> revocations_in(std::span<const std::byte> block) const;

  // True if the journal has no checksums.
  bool has_right_checksum(BlockType type, std::span<const std::byte> block) const;
  bool has_right_checksum(const Tag& tag, std::uint32_t sequence, std::uint64_t device_block) const;

  std::size_t tag_bytes() const;  // without a UUID
  bool has_checksums() const;
  bool has_fast_commits() const { return area_end_ > end_; }

  // Where a block of this type has its checksum: 4 bytes, big endian, which count as zeros.
  static std::size_t checksum_place(BlockType type, std::span<const std::byte> block);
  // How many bytes of a descriptor, revoke or commit block are in use, without the checksum.
  std::size_t used_bytes(BlockType type, std::span<const std::byte> block) const;
  // Changes a tag for a block whose checksum differs from the old one by this.
  void change_tag(std::span<std::byte> descriptor, const Tag& tag, std::uint32_t difference,
                  bool is_escaped) const;

  // The oldest kind of checksum covers a whole transaction: each of its descriptors, and the blocks after it.
  bool has_transaction_checksums() const { return (compat_ & 1) != 0; }
  static bool confirms(std::span<const std::byte> commit, std::uint32_t transaction_checksum);

 private:
  JournalLog(const Filesystem& filesystem, std::vector<BlockRun> blocks);
  bool decode_superblock();
  std::optional<std::uint64_t> device_block_in_area(std::uint64_t position) const;
  std::vector<std::byte> read_block(std::uint64_t position) const;
  bool has_incompat(std::uint32_t feature) const { return (incompat_ & feature) != 0; }

  const Filesystem* filesystem_;
  std::vector<BlockRun> blocks_;
  std::vector<std::uint64_t> begins_;  // of blocks_, as positions
  std::uint64_t first_ = 0;            // of the ring
  std::uint64_t end_ = 0;              // of the log: no position from here on is in it
  std::uint64_t area_end_ = 0;         // of the area of fast commits
  std::uint64_t start_ = 0;
  std::uint32_t first_sequence_ = 0;
  std::uint32_t users_ = 0;
  std::uint32_t compat_ = 0;
  std::uint32_t incompat_ = 0;
  std::uint32_t seed_ = 0;
};

// The copy of the journal's block map in the superblock, as an inode stores it. Absent if there is none.
std::optional<std::vector<std::byte>> journal_map_of(const Superblock& superblock);

}  // namespace e2qcow::ext2
