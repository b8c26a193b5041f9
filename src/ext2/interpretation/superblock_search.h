// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ext2/structures/superblock.h"

namespace e2qcow::ext2 {

struct SuperblockChoice {
  std::optional<std::uint64_t> block;       // as e2fsck -b: the block that holds the copy to use
  std::optional<std::uint32_t> block_size;  // as e2fsck -B
};

// The chosen copy; else the primary; else the first valid backup, at the usual offsets or, for file systems
// with small groups, anywhere near the beginning. Absent if there is none.
std::optional<Superblock> search_superblock(const ReadableFile& file, const SuperblockChoice& choice);

// The same, but throws Errc::not_ext2 if there is none, or Errc::no_superblock if none is in the chosen
// block.
Superblock find_superblock(const ReadableFile& file, const SuperblockChoice& choice);

// The offsets at which the primary and backups usually are, for all block sizes.
std::vector<std::uint64_t> usual_superblock_offsets();

}  // namespace e2qcow::ext2
