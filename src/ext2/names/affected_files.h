// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>

#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "ext2/selection/walk_record.h"
#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// A file that owns something unreadable.
struct AffectedFile {
  std::uint64_t inode = 0;
  std::string path;              // empty if no directory names it
  std::uint64_t lost_bytes = 0;  // of its contents and of its own metadata
  bool inode_is_lost = false;    // then neither its contents nor their blocks are known
  std::vector<Extent> lost;      // on the device, ascending, not touching; at most kMaxAreas
  static constexpr std::size_t kMaxAreas = 1000;
};

// The files that losses hit, and names of other inodes.
struct FileNames {
  std::vector<AffectedFile> hit;  // by inode
  // The paths of the other requested inodes that have one.
  std::vector<std::pair<std::uint64_t, std::string>> others;
};

// Reads only the directories if `owners` is given (see SelectedExtents), and otherwise also the inodes again.
// `losses` are bytes of the device, ascending, without overlaps.
FileNames find_file_names(const Filesystem& filesystem, const WalkRecord* owners,
                          std::span<const Extent> losses,
                          const std::unordered_set<std::uint64_t>& other_inodes);

}  // namespace e2qcow::ext2
