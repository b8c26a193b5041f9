// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <vector>

#include "ext2/journal/replayed_file.h"
#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// A file system as one of its superblocks tells it, or as it will be when the journal has been replayed.
struct Interpretation {
  std::unique_ptr<ReplayedFile> replayed;  // null: the device as it is
  std::unique_ptr<Filesystem> filesystem;
  std::vector<FastInode> fast_inodes;  // in place of those that stand in its tables
};

// What else the file system may be taken for: by programs that replay the journal, or that believe another
// copy of the superblock and its descriptors, where that tells another story. At most kMaxInterpretations.
std::vector<Interpretation> other_interpretations(const Filesystem& filesystem);

constexpr std::size_t kMaxInterpretations = 8;

}  // namespace e2qcow::ext2
