// SPDX-License-Identifier: GPL-2.0-or-later
// Superblocks, descriptors, and what they say about where everything is.
#include <system_error>

#include "ext2/interpretation/superblock_copies.h"
#include "ext2/interpretation/superblock_search.h"
#include "ext2/selection/block_bitmaps.h"
#include "ext2/selection/fixed_structures.h"
#include "ext2/selection/inode_tables.h"
#include "ext2/structures/description.h"
#include "ext2/structures/mmp.h"
#include "tests/fuzz/promises.h"
#include "tests/support/memory_file.h"

using namespace e2qcow;

namespace {

void select_all_but_inodes(const ext2::Filesystem& filesystem) {
  const ext2::Geometry& geometry = filesystem.geometry;
  ext2::Selection selection;
  ext2::Findings findings;
  ext2::select_fixed_structures(filesystem, selection, findings);
  ext2::select_blocks_in_use(filesystem, {0, geometry.groups()}, ext2::listed_bad_blocks(filesystem),
                             selection, findings);
  const ext2::InodeTables tables(filesystem, findings);
  for (std::uint64_t group = 0; group < geometry.groups(); ++group) {
    require(geometry.clip(tables.of(group)) == tables.of(group));
    selection.add(BlockClass::inode_tables, tables.of(group));
  }
  for (const auto& run : std::move(selection).sorted()) require(geometry.clip(run.blocks) == run.blocks);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const MemoryFile file({bytes.begin(), bytes.end()});
  const auto superblock = ext2::search_superblock(file, {}).superblock;
  if (!superblock) return 0;
  ext2::describe(*superblock);
  const ext2::Filesystem filesystem(file, *superblock);
  ext2::mmp_user(filesystem);
  select_all_but_inodes(filesystem);
  for (const ext2::Superblock& copy : ext2::differing_copies(filesystem, 3))
    select_all_but_inodes(ext2::Filesystem(file, copy));
  return 0;
}
