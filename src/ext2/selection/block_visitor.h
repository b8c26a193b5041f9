// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "ext2/structures/geometry.h"
#include "ext2/structures/inode.h"
#include "image/block_class.h"

namespace e2qcow::ext2 {

// Receives the findings of a walk over the inodes.
class BlockVisitor {
 public:
  virtual ~BlockVisitor() = default;

  // A run of blocks of the device that belongs to `inode`, or to no single one (0). The same run may come
  // again, overlap others, or be empty.
  virtual void visit(BlockClass block_class, BlockRun run, std::uint64_t inode) = 0;

  // A block of an inode table, after visit(), and the first inode in it.
  virtual void visit_table(std::uint64_t /*block*/, std::uint64_t /*first_inode*/) {}
  // An inode, before its blocks.
  virtual void visit_inode(std::uint64_t /*number*/, const Inode& /*inode*/) {}
  // A directory with entries in the inode itself: the bytes of its map.
  virtual void visit_inline_directory(std::uint64_t /*inode*/, std::span<const std::byte> /*map*/) {}
};

}  // namespace e2qcow::ext2
