// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ext2/selection/findings.h"
#include "ext2/selection/selection.h"
#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// Selects the blocks in use according to the bitmaps of these groups. If a bitmap has a wrong checksum, its
// whole group counts as in use; if the journal must be replayed, all groups do.
void select_blocks_in_use(const Filesystem& filesystem, BlockRun groups, Selection& selection,
                          Findings& findings);

}  // namespace e2qcow::ext2
