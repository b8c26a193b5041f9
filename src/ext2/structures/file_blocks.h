// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// The blocks of a file in its own order, at most `limit` of them: runs on the device, those of a hole with
// first = 0. `map` are the 60 bytes of the inode. What makes no sense in the map is a hole.
std::vector<BlockRun> blocks_of_file(const Filesystem& filesystem, std::span<const std::byte> map,
                                     bool uses_extents, std::uint64_t limit);

// Absent where there is a hole, or the way to it makes no sense. Cheap: reads one node of each level at most.
std::optional<std::uint64_t> first_block_of_file(const Filesystem& filesystem, std::span<const std::byte> map,
                                                 bool uses_extents);

}  // namespace e2qcow::ext2
