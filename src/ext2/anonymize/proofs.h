// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// Which bitmaps and tables of inodes are where their descriptors say: those whose descriptor has a right
// checksum, or whose place a backup of the descriptors says, too.
class Proofs {
 public:
  // `inodes_read`: by group, how many inodes of its table were ever used. `filesystem` must outlive it.
  Proofs(const Filesystem& filesystem, std::vector<std::uint32_t> inodes_read);

  // The group whose bitmap the block may be; absent if it certainly is one.
  std::optional<std::uint64_t> group_of_unproven_bitmap(std::uint64_t block) const;
  bool is_in_proven_table(std::uint64_t inode) const;
  // One descriptor with a wrong checksum, and e2fsck believes none.
  bool was_never_used(std::uint64_t inode) const { return all_are_proven_ && is_marked_unused(inode); }
  bool is_marked_unused(std::uint64_t inode) const;

 private:
  void add_unproven(std::uint64_t group, const Filesystem* backup);

  const Filesystem& filesystem_;
  std::vector<std::uint32_t> inodes_read_;
  std::unordered_multimap<std::uint64_t, std::uint64_t> bitmaps_;  // unproven: the group, by block
  std::unordered_set<std::uint64_t> tables_;                       // unproven, by group
  bool all_are_proven_ = true;                                     // the group descriptors
};

}  // namespace e2qcow::ext2
