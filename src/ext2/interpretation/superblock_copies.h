// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <vector>

#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// Copies of the superblock that, with the descriptors after them, locate things differently from `filesystem`
// and from each other; at most `limit`. Looked for where the file system keeps its copies and, unless one of
// those agrees with it, at the usual offsets.
std::vector<Superblock> differing_copies(const Filesystem& filesystem, std::size_t limit);

}  // namespace e2qcow::ext2
