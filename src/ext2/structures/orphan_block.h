// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace e2qcow::ext2 {

// A block of the orphan file: numbers of inodes, and a tail. Source: the kernel's fs/ext4/ext4.h,
// struct ext4_orphan_block_tail
struct OrphanBlock {
  static constexpr std::uint32_t kMagic = 0x0b10ca04;
  static constexpr std::size_t kTail = 8;              // the magic, then the checksum
  static constexpr std::uint32_t kNone = 0xffff'ffff;  // what anonymised blocks have instead of other numbers

  // The block is at least as long as a tail.
  static bool is_one(std::span<const std::byte> block) {
    return load_le<std::uint32_t>(block, block.size() - kTail) == kMagic;
  }
  static bool may_be_inode(std::span<const std::byte> block, std::size_t offset, std::uint32_t inodes) {
    const auto number = load_le<std::uint32_t>(block, offset);
    return number <= inodes || number == kNone;
  }
};

}  // namespace e2qcow::ext2
