// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ext2/selection/findings.h"
#include "ext2/selection/selection.h"
#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// Selects everything that no inode owns: boot block, superblocks and descriptors with all their backups (even
// if a backup's magic is gone: that shows what overwrote it), both bitmaps of every group, and the MMP block.
// Inode tables are left to InodeWalk.
void select_fixed_structures(const Filesystem& filesystem, Selection& selection, Findings& findings);

}  // namespace e2qcow::ext2
