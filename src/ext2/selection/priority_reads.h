// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <span>

#include "ext2/selection/selection.h"
#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// For a disk that may die at any moment: read what matters most first, so that the kernel has it in memory
// when its turn in the image comes.

// The bitmaps of all groups. To be read before the inodes are.
void read_bitmaps_first(const Filesystem& filesystem);

// The classes of blocks that are to be read first, in their order; see class_priorities.h.
void read_metadata_first(const ReadableFile& file, std::span<const Selection::ClassRun> runs,
                         std::uint32_t block_size);

}  // namespace e2qcow::ext2
