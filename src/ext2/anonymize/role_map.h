// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ext2/selection/block_roles.h"

namespace e2qcow::ext2 {

// The one role in which each block is replaced.
class RoleMap {
 public:
  struct Role {
    BlockClass block_class;
    std::uint32_t inode;  // that owns it; 0: none
    friend bool operator==(const Role&, const Role&) = default;
  };
  struct Run {
    BlockRun blocks;
    Role role;
  };

  RoleMap() = default;
  // A block with several roles gets the first of: fixed structures, journal, extents and pointers,
  // directories, attributes, links, others.
  explicit RoleMap(const std::vector<BlockRoles::Run>& runs);

  std::optional<Role> find(std::uint64_t block) const;
  const std::vector<Run>& runs() const { return runs_; }  // ascending
  // Blocks with roles of several classes.
  std::uint64_t conflicts() const { return conflicts_; }

 private:
  std::vector<Run> runs_;
  std::uint64_t conflicts_ = 0;
};

}  // namespace e2qcow::ext2
