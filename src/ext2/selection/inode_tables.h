// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <unordered_map>

#include "ext2/selection/findings.h"
#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// Where the inode tables are, each block for one group: descriptors that make no sense may put thousands of
// tables in one place, and the work must follow the device. The groups of inodes that the superblock names
// have theirs whole, whoever else is there.
class InodeTables {
 public:
  // `filesystem` must outlive it.
  InodeTables(const Filesystem& filesystem, Findings& findings);

  // The blocks of the group's table that are its own, inside the device; at its end, where some are missing.
  BlockRun of(std::uint64_t group) const;

 private:
  BlockRun whole(std::uint64_t group) const;
  bool has_named_inodes(std::uint64_t group) const;

  const Filesystem& filesystem_;
  std::unordered_map<std::uint64_t, std::uint64_t> cut_at_;  // group -> the first block of its own
};

}  // namespace e2qcow::ext2
