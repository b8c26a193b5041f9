// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/selection/walk_record.h"

namespace e2qcow::ext2 {

void WalkRecord::visit(BlockClass block_class, BlockRun run, std::uint64_t inode) {
  if (inode == 0 || run.count == 0) return;
  const auto number = static_cast<std::uint32_t>(inode);
  const bool continues = !runs_.empty() && runs_.back().inode == number &&
                         runs_.back().block_class == block_class && runs_.back().blocks.end() == run.first;
  if (continues)
    runs_.back().blocks.count += run.count;
  else
    runs_.push_back({run, number, block_class});
}

void WalkRecord::visit_inline_directory(std::uint64_t inode, std::span<const std::byte> map) {
  inline_directories_.push_back({inode, {map.begin(), map.end()}});
}

void WalkRecord::add(const WalkRecord& other) {
  runs_.insert(runs_.end(), other.runs_.begin(), other.runs_.end());
  inline_directories_.insert(inline_directories_.end(), other.inline_directories_.begin(),
                             other.inline_directories_.end());
}

void WalkRecord::replay(BlockVisitor& visitor) const {
  for (const auto& [blocks, inode, block_class] : runs_) visitor.visit(block_class, blocks, inode);
  for (const auto& [inode, map] : inline_directories_) visitor.visit_inline_directory(inode, map);
}

}  // namespace e2qcow::ext2
