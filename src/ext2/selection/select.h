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
  bool most_important_first = false;  // see read_first.h
  bool superblock_is_chosen = false;  // by the user: that it is a backup is no finding
  bool remember = false;              // what was looked at, and who owns it, so that nobody need scan again
};

// The blocks that a dump of this kind is made of, ascending, each for one class.
std::vector<Selection::ClassRun> classify_blocks(const Filesystem& filesystem, const SelectOptions& options,
                                                 Findings& findings);

// Metadata: every block that e2fsck, debugfs or the kernel would read to judge the file system. All: those,
// and every block in use. What is wrong with the file system goes to `findings` and ends nothing.
SelectedExtents select_blocks(const Filesystem& filesystem, const SelectOptions& options, Findings& findings);

}  // namespace e2qcow::ext2
