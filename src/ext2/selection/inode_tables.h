// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <unordered_map>

#include "ext2/selection/findings.h"
#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// Where the inode tables are, with each block assigned to one group: damaged descriptors may put thousands of
// tables at the same blocks, and the size of the device must bound the work. Groups with inodes that the
// superblock names keep their whole tables, whatever overlaps.
class InodeTables {
 public:
  // `filesystem` must outlive it.
  InodeTables(const Filesystem& filesystem, Findings& findings);

  // The blocks of the group's table that are assigned to it and on the device: the last ones, if some are
  // not.
  BlockRun of(std::uint64_t group) const;

 private:
  BlockRun whole(std::uint64_t group) const;
  bool has_named_inodes(std::uint64_t group) const;

  const Filesystem& filesystem_;
  std::unordered_map<std::uint64_t, std::uint64_t> cut_at_;  // group -> the first block assigned to it
};

}  // namespace e2qcow::ext2
