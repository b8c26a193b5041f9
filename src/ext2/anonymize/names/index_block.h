// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace e2qcow::ext2 {

// A block of the index of a directory: its root or another node. Source of the fields: <ext2fs/ext2_fs.h>,
// struct ext2_dx_root_info, ext2_dx_entry, ext2_dx_countlimit, ext2_dx_tail
struct IndexBlock {
  static constexpr std::size_t kEntryBytes = 8;  // a hash, and a block of the directory
  static constexpr std::size_t kRootInfo = 24;   // where it is in a root
  static constexpr std::size_t kRootEntries = 32;
  static constexpr std::size_t kNodeEntries = 8;

  std::size_t entries;  // where they begin; the first has the limit and the count instead of a hash
  std::size_t limit;
  std::size_t count;     // with the first one
  std::uint8_t version;  // of the hash, in a root
  bool is_root() const { return entries == kRootEntries; }
  std::size_t end() const { return entries + count * kEntryBytes; }
  std::size_t limit_end() const { return entries + limit * kEntryBytes; }
};

// Absent if the block is none.
std::optional<IndexBlock> parse_index_block(std::span<const std::byte> block);

}  // namespace e2qcow::ext2
