// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <span>
#include <vector>

#include "ext2/selection/findings.h"
#include "ext2/selection/selection.h"
#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// The blocks that the file system lists as bad, in its inode 1; ascending, not touching.
std::vector<BlockRun> listed_bad_blocks(const Filesystem& filesystem);

// Selects the blocks in use according to the bitmaps of these groups, except bad ones: nothing is stored in
// those. If a bitmap has a wrong checksum, its whole group counts as in use; if an external journal must be
// replayed, all groups do.
void select_blocks_in_use(const Filesystem& filesystem, BlockRun groups, std::span<const BlockRun> bad_blocks,
                          Selection& selection, Findings& findings);

}  // namespace e2qcow::ext2
