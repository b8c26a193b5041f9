// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include "ext2/selection/findings.h"
#include "ext2/selection/selection.h"
#include "ext2/structures/filesystem.h"
#include "image/dump_record.h"

namespace e2qcow::ext2 {

struct SelectOptions {
  DumpKind kind = DumpKind::metadata;
  unsigned threads = 1;
  Progress* progress = nullptr;
  bool most_important_first = false;  // see priority_reads.h
  bool superblock_is_chosen = false;  // by the user: then a backup is no finding
  bool remember = false;              // what was looked at, and its owners, to save a second scan
  bool find_roles = false;            // of the blocks, to replace what is in them; see BlockRoles
};

// The blocks that a dump of this kind stores, ascending, each in one class.
std::vector<Selection::ClassRun> classify_blocks(const Filesystem& filesystem, const SelectOptions& options,
                                                 Findings& findings);

// Metadata: every block that e2fsck, debugfs or the kernel would read to check the file system. All: those,
// and every block in use. Damage to the file system goes to `findings`; the selection continues.
SelectedExtents select_blocks(const Filesystem& filesystem, const SelectOptions& options, Findings& findings);

}  // namespace e2qcow::ext2
