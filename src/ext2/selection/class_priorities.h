// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <array>

#include "image/block_class.h"

namespace e2qcow::ext2 {

struct ClassPriority {
  BlockClass block_class;
  bool is_read_first;  // from a disk that may die
};

// The most important class comes first: a block that has several uses counts for the first of them, and what
// is read first is read in this order.
constexpr std::array<ClassPriority, kBlockClasses> kClassPriorities{{
    {BlockClass::superblocks, true},
    {BlockClass::group_descriptors, true},
    {BlockClass::block_bitmaps, true},
    {BlockClass::inode_bitmaps, true},
    {BlockClass::inode_tables, true},
    {BlockClass::mmp, true},
    {BlockClass::journal, true},
    {BlockClass::directories, true},
    {BlockClass::symlinks, true},
    {BlockClass::xattrs, true},
    {BlockClass::extent_trees, true},
    {BlockClass::indirect_blocks, true},
    {BlockClass::quota, true},
    {BlockClass::orphan_file, true},
    {BlockClass::reserved_inodes, true},
    {BlockClass::data, false},
    {BlockClass::signatures, false},
}};

constexpr bool has_a_priority(BlockClass block_class) {
  return std::ranges::count(kClassPriorities, block_class, &ClassPriority::block_class) == 1;
}
static_assert(
    [] {
      for (std::size_t i = 0; i < kBlockClasses; ++i)
        if (!has_a_priority(static_cast<BlockClass>(i))) return false;
      return true;
    }(),
    "each class of blocks needs one priority");

}  // namespace e2qcow::ext2
