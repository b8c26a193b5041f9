// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <vector>

#include "ext2/journal/replayed_file.h"
#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// A file system according to another of its superblocks, or as it will be after the journal has been
// replayed.
struct Interpretation {
  std::unique_ptr<ReplayedFile> replayed;  // null: the device as it is
  std::unique_ptr<Filesystem> filesystem;
  std::vector<FastInode> fast_inodes;  // these replace those in the tables
};

// How other programs may see the file system: those that replay the journal, or that use another copy of the
// superblock and its descriptors which differs. At most kMaxInterpretations.
std::vector<Interpretation> other_interpretations(const Filesystem& filesystem);

constexpr std::size_t kMaxInterpretations = 8;

}  // namespace e2qcow::ext2
