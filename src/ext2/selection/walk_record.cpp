// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/selection/walk_record.h"

namespace e2qcow::ext2 {

void WalkRecord::visit(BlockClass block_class, BlockRun run, std::uint64_t inode) {
  if (inode == 0 || run.count == 0 || !is_complete_) return;
  const auto number = static_cast<std::uint32_t>(inode);
  const bool continues = !runs_.empty() && runs_.back().inode == number &&
                         runs_.back().block_class == block_class && runs_.back().blocks.end() == run.first;
  if (continues)
    runs_.back().blocks.count += run.count;
  else
    runs_.push_back({run, number, block_class});
  give_up_if_too_large();
}

void WalkRecord::give_up_if_too_large() {
  if (runs_.size() + inline_directories_.size() <= kMaxRuns) return;
  is_complete_ = false;
  runs_ = {};
  inline_directories_ = {};
}

void WalkRecord::visit_inline_directory(std::uint64_t inode, std::span<const std::byte> map) {
  if (!is_complete_) return;
  inline_directories_.push_back({inode, {map.begin(), map.end()}});
  give_up_if_too_large();
}

void WalkRecord::add(const WalkRecord& other) {
  is_complete_ = is_complete_ && other.is_complete_;
  runs_.insert(runs_.end(), other.runs_.begin(), other.runs_.end());
  inline_directories_.insert(inline_directories_.end(), other.inline_directories_.begin(),
                             other.inline_directories_.end());
  if (!is_complete_) runs_ = {}, inline_directories_ = {};
  give_up_if_too_large();
}

void WalkRecord::replay(BlockVisitor& visitor) const {
  for (const auto& [blocks, inode, block_class] : runs_) visitor.visit(block_class, blocks, inode);
  for (const auto& [inode, map] : inline_directories_) visitor.visit_inline_directory(inode, map);
}

}  // namespace e2qcow::ext2
