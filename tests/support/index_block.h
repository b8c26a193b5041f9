// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <vector>

#include "tests/support/directory_block.h"

namespace e2qcow::ext2 {

// Blocks of the index of a directory, with a checksum or with room for none. Source of the fields:
// <ext2fs/ext2_fs.h>, struct ext2_dx_root_info, ext2_dx_countlimit
struct IndexEntry {
  std::uint64_t hash;
  std::uint64_t block;  // of the directory
};

// The hash of the first entry does not exist.
inline void put_index(Bytes& block, std::uint64_t place, const std::vector<IndexEntry>& entries,
                      bool has_checksum) {
  const std::uint64_t room = (block.size() - place) / 8 - (has_checksum ? 1 : 0);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    set_le(block, place + 8 * i, entries[i].hash, 4);
    set_le(block, place + 8 * i + 4, entries[i].block, 4);
  }
  set_le(block, place, room, 2);
  set_le(block, place + 2, entries.size(), 2);
}

inline Bytes index_root(const std::vector<IndexEntry>& entries, bool has_checksum = false,
                        std::uint64_t hash_version = 1, std::size_t size = 1024) {
  Bytes block = directory_block({{12, 12, ".", kDirectoryType}, {2, size - 12, "..", kDirectoryType}}, size);
  set_le(block, 28, hash_version, 1);
  set_le(block, 29, 8, 1);  // the length of this
  put_index(block, 32, entries, has_checksum);
  return block;
}

inline Bytes index_node(const std::vector<IndexEntry>& entries, bool has_checksum = false,
                        std::size_t size = 1024) {
  Bytes block = directory_block({{0, size, "", 0}}, size);
  put_index(block, 8, entries, has_checksum);
  return block;
}

}  // namespace e2qcow::ext2
