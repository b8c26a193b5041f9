// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "ext2/journal/journal_log.h"

namespace e2qcow::ext2 {

// An inode from a fast commit: at least its first 128 bytes.
struct FastInode {
  std::uint64_t number;
  std::vector<std::byte> bytes;
  friend bool operator==(const FastInode&, const FastInode&) = default;
};

// The inodes in the fast commits that belong to this sequence, which is the one after the last complete
// transaction. Everything else in fast commits concerns these inodes, or is in directories they lead to.
// Source of the format: the kernel's fs/ext4/fast_commit.h
std::vector<FastInode> inodes_in_fast_commits(const JournalLog& log, std::uint32_t sequence);

}  // namespace e2qcow::ext2
