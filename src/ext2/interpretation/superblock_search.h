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

// A file system that begins somewhere else than where it was searched for.
struct OtherFilesystem {
  std::int64_t begin;  // bytes from there; negative: before it
  Superblock superblock;
};

struct SuperblockSearch {
  std::optional<Superblock> superblock{};  // absent: there is none of a file system that begins here
  // If there is none, the file systems whose copies were found; each once.
  std::vector<OtherFilesystem> others{};
  // A copy of another file system that begins here, under or over the one that was chosen.
  std::optional<Superblock> rival{};
};

// Looks for the chosen copy; else for the primary; else for a backup, at the usual offsets or, for file
// systems with small groups, anywhere near the beginning. A copy says in which group it is: one that is not
// there is no backup of a file system that begins here. If several file systems have left backups, the last
// one made of those whose descriptors lead to a root directory is used.
SuperblockSearch search_superblock(const ReadableFile& file, const SuperblockChoice& choice);

// Where on the disk the file system of a copy begins that was found in the part of the disk from
// `searched_at` on. Absent if it begins there, or cannot be read where it should begin.
std::optional<std::uint64_t> true_begin(const ReadableFile& disk, std::uint64_t searched_at,
                                        const Superblock& copy);

// The one that is found; throws Errc::not_ext2 if there is none, or Errc::no_superblock if none is in the
// chosen block.
Superblock find_superblock(const ReadableFile& file, const SuperblockChoice& choice);

// The offsets at which the primary and backups usually are, for all block sizes.
std::vector<std::uint64_t> usual_superblock_offsets();

}  // namespace e2qcow::ext2
