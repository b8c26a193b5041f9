// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <vector>

#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// Copies of the superblock that, with the descriptors behind them, put things elsewhere than `filesystem`
// and than each other; at most `limit`. Looked for where the file system has its copies and, unless one of
// them agrees, at the usual places.
std::vector<Superblock> differing_copies(const Filesystem& filesystem, std::size_t limit);

}  // namespace e2qcow::ext2
