// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ext2/selection/findings.h"
#include "ext2/selection/selection.h"
#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// Selects the blocks that the bitmaps of the given groups say are in use. A bitmap that cannot be believed
// counts as all in use, and so do all where the journal must be replayed.
void select_blocks_in_use(const Filesystem& filesystem, BlockRun groups, Selection& selection,
                          Findings& findings);

}  // namespace e2qcow::ext2
