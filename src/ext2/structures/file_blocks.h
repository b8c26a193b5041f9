// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// The first `limit` blocks of a file, in file order, as runs on the device; runs with first = 0 are holes.
// `map` is the inode's 60 bytes. Invalid parts of the map are holes.
std::vector<BlockRun> blocks_of_file(const Filesystem& filesystem, std::span<const std::byte> map,
                                     bool uses_extents, std::uint64_t limit);

// Absent if it is a hole, or the path to it is invalid. Cheap: reads at most one node per level.
std::optional<std::uint64_t> first_block_of_file(const Filesystem& filesystem, std::span<const std::byte> map,
                                                 bool uses_extents);

}  // namespace e2qcow::ext2
