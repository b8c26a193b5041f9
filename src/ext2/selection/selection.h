// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>
#include <e2qcow/file.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "ext2/selection/block_visitor.h"
#include "ext2/selection/walk_record.h"
#include "ext2/structures/geometry.h"
#include "image/block_class.h"

namespace e2qcow::ext2 {

// Collects the blocks that matter, as runs in any order and with overlaps.
class Selection : public BlockVisitor {
 public:
  void add(BlockClass block_class, BlockRun run);
  void add(BlockClass block_class, std::uint64_t block) { add(block_class, {block, 1}); }
  void add(const Selection& other);
  void visit(BlockClass block_class, BlockRun run, std::uint64_t) override { add(block_class, run); }
  // How many blocks were added, those that were added twice counted twice.
  std::uint64_t added_blocks() const;

  struct ClassRun {
    BlockRun blocks;
    BlockClass block_class;
    friend bool operator==(const ClassRun&, const ClassRun&) = default;
  };
  // The same bytes in blocks of another size; those that are covered in part count whole.
  struct BlockSizes {
    std::uint32_t from;
    std::uint32_t to;
  };
  Selection in_other_blocks(BlockSizes sizes) const;
  // Ascending, without overlaps.
  std::vector<ClassRun> sorted() &&;

 private:
  std::vector<ClassRun> runs_;
};

// What a dump stores: guest bytes, ascending, not touching, and how many of them are for what.
struct SelectedExtents {
  std::vector<Extent> extents;
  std::array<std::uint64_t, kBlockClasses> class_bytes{};
  // Only if SelectOptions::remember asks for them. `looked_at` is what is stored, and the parts of inode
  // tables that turned out to be zero; ascending, not touching.
  std::vector<Extent> looked_at;
  std::optional<WalkRecord> owners;

  std::uint64_t bytes() const;
};

// Leaves out what the file has holes for: it is zero and costs nothing.
SelectedExtents extents_of(std::span<const Selection::ClassRun> runs, const ReadableFile& file,
                           std::uint32_t block_size);

}  // namespace e2qcow::ext2
