// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace e2qcow {

// What a block is for. The numbers and names are written into images and reports: append, never change.
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
  signatures = 16,  // without a file system: the other data that identifies the contents of the device
};

// Empty for the number of a class that only a later version knows.
constexpr std::string_view class_name(BlockClass block_class) {
  switch (block_class) {
    case BlockClass::superblocks:
      return "superblocks";
    case BlockClass::group_descriptors:
      return "group descriptors";
    case BlockClass::block_bitmaps:
      return "block bitmaps";
    case BlockClass::inode_bitmaps:
      return "inode bitmaps";
    case BlockClass::inode_tables:
      return "inode tables";
    case BlockClass::mmp:
      return "MMP block";
    case BlockClass::journal:
      return "journal";
    case BlockClass::directories:
      return "directories";
    case BlockClass::symlinks:
      return "symlinks";
    case BlockClass::xattrs:
      return "xattrs";
    case BlockClass::extent_trees:
      return "extent trees";
    case BlockClass::indirect_blocks:
      return "indirect blocks";
    case BlockClass::quota:
      return "quota files";
    case BlockClass::orphan_file:
      return "orphan file";
    case BlockClass::reserved_inodes:
      return "reserved inodes";
    case BlockClass::data:
      return "data";
    case BlockClass::signatures:
      return "signatures";
  }
  return {};
}

constexpr std::size_t kBlockClasses = [] {
  std::size_t count = 0;
  while (!class_name(static_cast<BlockClass>(count)).empty()) ++count;
  return count;
}();

}  // namespace e2qcow
