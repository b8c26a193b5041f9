// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <map>

#include "ext2/journal/fast_commit.h"
#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// A block of the file system as the journal has it.
struct JournaledBlock {
  std::uint64_t device_block;  // that holds it, in the journal
  bool is_escaped;             // its first four bytes are the journal's magic, but stored as zeros
  friend bool operator==(const JournaledBlock&, const JournaledBlock&) = default;
};
using JournaledBlocks = std::map<std::uint64_t, JournaledBlock>;

// What replaying the journal would write.
struct Replay {
  JournaledBlocks blocks;
  std::vector<FastInode> inodes;  // of fast commits; after the blocks
  bool is_empty() const { return blocks.empty() && inodes.empty(); }
};

// The newest committed version of each block and what fast commits have, as e2fsck and the kernel recover it.
// Empty where there is nothing to replay, or no journal that makes sense.
// Source of the format: the kernel's include/linux/jbd2.h; of the rules: e2fsck/recovery.c
Replay read_journal(const Filesystem& filesystem);

}  // namespace e2qcow::ext2
