// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>
#include <e2qcow/file.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "ext2/selection/block_roles.h"
#include "ext2/selection/block_visitor.h"
#include "ext2/selection/walk_record.h"
#include "ext2/structures/geometry.h"
#include "image/block_class.h"

namespace e2qcow::ext2 {

// Collects blocks as runs, in any order, with overlaps.
class Selection : public BlockVisitor {
 public:
  void add(BlockClass block_class, BlockRun run);
  void add(BlockClass block_class, std::uint64_t block) { add(block_class, {block, 1}); }
  void add(const Selection& other);
  void visit(BlockClass block_class, BlockRun run, std::uint64_t) override { add(block_class, run); }
  // How many blocks were added; a block that was added twice counts twice.
  std::uint64_t added_blocks() const;

  struct ClassRun {
    BlockRun blocks;
    BlockClass block_class;
    friend bool operator==(const ClassRun&, const ClassRun&) = default;
  };
  // The same bytes in blocks of another size; blocks that are partly covered are included.
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

// The extents that a dump stores: guest offsets, ascending, not touching; and their bytes by class.
struct SelectedExtents {
  std::vector<Extent> extents;
  std::array<std::uint64_t, kBlockClasses> class_bytes{};
  // Only if SelectOptions::remember asks for them. `looked_at` is what is stored, and the parts of inode
  // tables that turned out to be zero; ascending, not touching.
  std::vector<Extent> looked_at;
  std::optional<WalkRecord> owners;
  // Only if SelectOptions::find_roles asks for them: what the blocks are, in all interpretations.
  BlockRoles roles;

  std::uint64_t bytes() const;
};

// Cut at the end of the disk. Holes of the disk's file are included: the same disk gives the same image,
// however it is stored.
SelectedExtents extents_of(std::span<const Selection::ClassRun> runs, std::uint32_t block_size,
                           std::uint64_t disk_size);

}  // namespace e2qcow::ext2
