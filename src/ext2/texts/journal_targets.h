// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <unordered_map>

#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// A block of the device that is in the journal -> the block of the file system that it is a version of,
// according to the descriptors in the log, also those of transactions that were replayed long ago.
using JournalTargets = std::unordered_map<std::uint64_t, std::uint64_t>;
JournalTargets journal_targets(const Filesystem& filesystem);

}  // namespace e2qcow::ext2
