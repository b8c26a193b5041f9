// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <span>

#include "ext2/selection/selection.h"
#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// For a disk that may die at any moment: read what matters most first, so that the kernel still has it in
// memory when it is written to the image.

// Reads the bitmaps of all groups. Call it before inodes are read.
void read_bitmaps_first(const Filesystem& filesystem);

// Reads the classes of blocks that class_priorities.h puts first, in their order.
void read_metadata_first(const ReadableFile& file, std::span<const Selection::ClassRun> runs,
                         std::uint32_t block_size);

}  // namespace e2qcow::ext2
