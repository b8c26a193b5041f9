// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <span>
#include <unordered_map>
#include <vector>

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

  // How many inodes at the beginning of each group's table are read: not those that were never used, as far
  // as that is reliable.
  std::span<const std::uint32_t> inodes_read() const { return inodes_read_; }
  // From now on the tables of these groups are read as a whole.
  void read_whole(std::span<const std::uint64_t> groups);

 private:
  BlockRun whole(std::uint64_t group) const;
  void assign_blocks(Findings& findings);
  bool has_named_inodes(std::uint64_t group) const;

  const Filesystem& filesystem_;
  std::vector<std::uint32_t> inodes_read_;                   // by group
  std::unordered_map<std::uint64_t, std::uint64_t> cut_at_;  // group -> the first block assigned to it
};

}  // namespace e2qcow::ext2
