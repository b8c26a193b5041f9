// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/selection/fixed_structures.h"

#include "base/stop.h"

namespace e2qcow::ext2 {
namespace {

void select_bitmap(const Filesystem& filesystem, BlockClass block_class, std::uint64_t block,
                   Selection& selection, Findings& findings) {
  if (!filesystem.geometry.contains({block, 1})) findings.add(Finding::bad_group_descriptor, 0, block);
  selection.add(block_class, filesystem.geometry.clip({block, 1}));
}

}  // namespace

void select_fixed_structures(const Filesystem& filesystem, Selection& selection, Findings& findings) {
  const Geometry& geometry = filesystem.geometry;
  selection.add(BlockClass::superblocks, geometry.clip({0, geometry.superblock_block(0) + 1}));
  for (std::uint64_t group = 0; group < geometry.groups(); ++group) {
    throw_if_stopped();
    if (geometry.has_superblock(group))
      selection.add(BlockClass::superblocks, geometry.clip({geometry.superblock_block(group), 1}));
    selection.add(BlockClass::group_descriptors, geometry.descriptors_in(group));
  }
  for (const std::uint64_t block : geometry.descriptor_blocks())
    selection.add(BlockClass::group_descriptors, geometry.clip({block, 1}));
  for (std::uint64_t group = 0; group < geometry.groups(); ++group)
    select_bitmap(filesystem, BlockClass::block_bitmaps, filesystem.descriptors.block_bitmap(group),
                  selection, findings);
  for (std::uint64_t group = 0; group < geometry.groups(); ++group)
    select_bitmap(filesystem, BlockClass::inode_bitmaps, filesystem.descriptors.inode_bitmap(group),
                  selection, findings);
  if (filesystem.superblock.has_incompat(EXT4_FEATURE_INCOMPAT_MMP))
    selection.add(BlockClass::mmp, geometry.clip({filesystem.superblock.raw.s_mmp_block, 1}));
}

}  // namespace e2qcow::ext2
