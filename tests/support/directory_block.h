// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/bytes.h"

namespace e2qcow::ext2 {

// An entry of a directory. Source: <ext2fs/ext2_fs.h>, struct ext2_dir_entry_2
struct RawEntry {
  std::uint64_t inode;
  std::uint64_t record_length;
  std::string name;
  std::uint64_t type = 1;  // a regular file
};
constexpr std::uint64_t kDirectoryType = 2;

inline Bytes directory_block(const std::vector<RawEntry>& entries, std::size_t size = 1024) {
  Bytes block(size);
  std::uint64_t position = 0;
  for (const RawEntry& entry : entries) {
    set_le(block, position, entry.inode, 4);
    set_le(block, position + 4, entry.record_length, 2);
    set_le(block, position + 6, entry.name.size(), 1);
    set_le(block, position + 7, entry.type, 1);
    const Bytes name = text_bytes(entry.name);
    std::ranges::copy(name, block.begin() + static_cast<std::ptrdiff_t>(position) + 8);
    position += entry.record_length;
  }
  return block;
}

}  // namespace e2qcow::ext2
