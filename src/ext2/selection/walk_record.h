// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "ext2/selection/block_visitor.h"

namespace e2qcow::ext2 {

// Remembers which inode owns which blocks, so that the device need not be read again to find out. Takes 24
// bytes for each extent of a file, and gives up if there are more than kMaxRuns: the memory must not grow
// with the file system.
class WalkRecord : public BlockVisitor {
 public:
  void visit(BlockClass block_class, BlockRun run, std::uint64_t inode) override;
  void visit_inline_directory(std::uint64_t inode, std::span<const std::byte> map) override;
  void add(const WalkRecord& other);
  // Whether it has everything.
  bool is_complete() const { return is_complete_; }

  // Calls `visitor` as a walk would, except for runs that no inode owns.
  void replay(BlockVisitor& visitor) const;

 private:
  struct OwnedRun {
    BlockRun blocks;
    std::uint32_t inode;
    BlockClass block_class;
  };
  struct InlineDirectory {
    std::uint64_t inode;
    std::vector<std::byte> map;
  };

  static constexpr std::size_t kMaxRuns = 1 << 20;
  void give_up_if_too_large();

  bool is_complete_ = true;
  std::vector<OwnedRun> runs_;
  std::vector<InlineDirectory> inline_directories_;
};

}  // namespace e2qcow::ext2
