// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace e2qcow::ext2 {

// What is written in a block of fast commits, one behind the other. All numbers are little-endian.
// Source of the format: the kernel's fs/ext4/fast_commit.h
struct FastCommitRecord {
  enum class Type : std::uint16_t {
    add_range = 1,
    delete_range = 2,
    create = 3,
    link = 4,
    unlink = 5,
    inode = 6,
    padding = 7,
    tail = 8,
    head = 9
  };
  static constexpr std::size_t kHead = 4;          // type and length of the value
  static constexpr std::size_t kInodeNumber = 4;   // before an inode
  static constexpr std::size_t kName = 8;          // behind the inodes of the directory and of the file
  static constexpr std::size_t kTailChecksum = 4;  // behind the sequence; it is of all records since the last
                                                   // tail, and of this one's head and sequence
  static constexpr std::size_t kTail = 8;

  Type type;
  std::size_t offset;  // of the value, in the block
  std::size_t length;  // of the value

  std::size_t begin() const { return offset - kHead; }
  std::size_t end() const { return offset + length; }
  bool has_name() const { return type >= Type::create && type <= Type::unlink && length > kName; }
  bool has_inode() const;
  bool is_whole_tail() const { return type == Type::tail && length >= kTail; }
  // The part that the checksum in a tail is of, from begin() on.
  std::size_t summed() const { return kHead + (is_whole_tail() ? kTailChecksum : length); }
};

// None if the type is unknown or the value longer than the rest of the block.
std::optional<FastCommitRecord> fast_commit_record_at(std::span<const std::byte> block, std::size_t position);

}  // namespace e2qcow::ext2
