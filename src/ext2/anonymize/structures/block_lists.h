// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <span>

#include "ext2/anonymize/replacement/patch_checksum.h"
#include "ext2/anonymize/replacement/tally.h"

namespace e2qcow::ext2 {

// What holds numbers of blocks or inodes and nothing else. Numbers of the file system stay; others may be
// anything, and become one that is as wrong.

// A node of an extent tree, in an inode or a block, whose blocks are `blocks` many. False, and nothing is
// changed, if it is none.
bool anonymize_extents(std::span<std::byte> node, std::uint64_t blocks, Tally& tally);
// The same in a block of its own, with its checksum; it becomes zeros if it is none.
void anonymize_extent_block(std::span<std::byte> block, const Checksums& checksums, std::uint64_t blocks,
                            Tally& tally);

// Block pointers of 32 bits, in an inode or a block.
void anonymize_pointers(std::span<std::byte> pointers, std::uint64_t blocks, Tally& tally);

// A block of the orphan file, which lists `inodes` at most.
void anonymize_orphans(std::span<std::byte> block, const Checksums& checksums, std::uint32_t inodes,
                       Tally& tally);

}  // namespace e2qcow::ext2
