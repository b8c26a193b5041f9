// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace e2qcow::ext2 {

// What a block is for. Where a block is for several things, the first of them counts. The numbers are written
// into images: append, never change.
enum class BlockClass : std::uint8_t {
  superblocks = 0,
  group_descriptors = 1,
  block_bitmaps = 2,
  inode_bitmaps = 3,
  inode_tables = 4,
  mmp = 5,
  journal = 6,
  directories = 7,
  symlinks = 8,
  xattrs = 9,
  extent_trees = 10,
  indirect_blocks = 11,
  quota = 12,
  orphan_file = 13,
  reserved_inodes = 14,
  data = 15,        // contents of files, and all that is in use without being named above
  signatures = 16,  // where there is no file system: what else says what is on the device
};
constexpr std::size_t kBlockClasses = 17;

constexpr std::array<std::string_view, kBlockClasses> kBlockClassNames{
    "superblocks", "group descriptors", "block bitmaps",   "inode bitmaps", "inode tables", "MMP block",
    "journal",     "directories",       "symlinks",        "xattrs",        "extent trees", "indirect blocks",
    "quota files", "orphan file",       "reserved inodes", "data",          "signatures"};

}  // namespace e2qcow::ext2
