// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <map>

#include "ext2/journal/fast_commit.h"
#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// The version of a block of the file system that is in the journal.
struct JournaledBlock {
  std::uint64_t device_block;  // that holds it, in the journal
  bool is_escaped;             // its first four bytes are the journal's magic, but stored as zeros
  friend bool operator==(const JournaledBlock&, const JournaledBlock&) = default;
};
using JournaledBlocks = std::map<std::uint64_t, JournaledBlock>;

// The changes that replaying the journal would make.
struct Replay {
  JournaledBlocks blocks;
  std::vector<FastInode> inodes;  // from fast commits; applied after the blocks
  bool is_empty() const { return blocks.empty() && inodes.empty(); }
};

// The blocks of the journal, in order, according to its inode; runs with first = 0 are holes. Empty if it has
// none, or it cannot be read.
std::vector<BlockRun> journal_blocks(const Filesystem& filesystem);

// The same as bytes of the file system, without holes: ascending, not touching.
std::vector<Extent> journal_extents(const Filesystem& filesystem);

// The same, according to the copy of the inode's block map in the superblock.
std::vector<BlockRun> backed_up_journal_blocks(const Filesystem& filesystem);

// How many file systems use the journal, which is on a device of its own: the kernel and e2fsck replay none
// that has several. 0 if it has no valid superblock.
std::uint32_t users_of_journal(const Filesystem& journal);

// The newest committed version of each block and the inodes of fast commits, as e2fsck and the kernel recover
// them. Empty if there is nothing to replay, or no valid journal.
// They are on the file system's device, or on that of its external journal.
// Source of the format: the kernel's include/linux/jbd2.h; of the rules: e2fsck/recovery.c
Replay read_journal(const Filesystem& filesystem);

}  // namespace e2qcow::ext2
