// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <vector>

#include "tests/support/bytes.h"

namespace e2qcow::ext2 {

// Nodes of extent trees and indirect maps by hand. Source: ext4 wiki, "Extent Tree"; <ext2fs/ext3_extents.h>
struct LeafEntry {
  std::uint64_t block;   // of the disk
  std::uint64_t length;  // as it is stored
};

struct NodeHeader {
  std::uint64_t magic = 0xf30a;
  std::uint64_t entries = 0;
  std::uint64_t max_entries = 4;
  std::uint64_t depth = 0;
};

inline Bytes extent_header(const NodeHeader& header) {
  Bytes bytes(12);
  set_le(bytes, 0, header.magic, 2);
  set_le(bytes, 2, header.entries, 2);
  set_le(bytes, 4, header.max_entries, 2);
  set_le(bytes, 6, header.depth, 2);
  return bytes;
}

inline Bytes extent_leaf(const std::vector<LeafEntry>& entries) {
  Bytes bytes = extent_header({.entries = entries.size()});
  for (const auto& [block, length] : entries) {
    bytes.resize(bytes.size() + 12);
    const auto entry = std::span(bytes).last(12);
    set_le(entry, 4, length, 2);
    set_le(entry, 6, block >> 32, 2);
    set_le(entry, 8, block, 4);
  }
  return bytes;
}

// `depth` is 1 over leaves.
inline Bytes extent_index(std::uint64_t depth, const std::vector<std::uint64_t>& children) {
  Bytes bytes = extent_header({.entries = children.size(), .depth = depth});
  for (const std::uint64_t child : children) {
    bytes.resize(bytes.size() + 12);
    const auto entry = std::span(bytes).last(12);
    set_le(entry, 4, child, 4);
    set_le(entry, 8, child >> 32, 2);
  }
  return bytes;
}

// Block numbers of 32 bits: a map in an inode, an indirect block.
inline Bytes pointers(const std::vector<std::uint64_t>& blocks) {
  Bytes bytes(blocks.size() * 4);
  for (std::size_t i = 0; i < blocks.size(); ++i) set_le(bytes, i * 4, blocks[i], 4);
  return bytes;
}

}  // namespace e2qcow::ext2
