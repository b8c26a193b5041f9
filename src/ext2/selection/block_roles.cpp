// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/selection/block_roles.h"

namespace e2qcow::ext2 {

void BlockRoles::visit(BlockClass block_class, BlockRun run, std::uint64_t inode) {
  if (run.count == 0) return;
  const auto number = static_cast<std::uint32_t>(inode);
  const bool continues = !runs_.empty() && runs_.back().inode == number &&
                         runs_.back().block_class == block_class && runs_.back().blocks.end() == run.first;
  if (continues)
    runs_.back().blocks.count += run.count;
  else
    runs_.push_back({run, number, block_class});
}

void BlockRoles::visit_table(std::uint64_t block, std::uint64_t first_inode) {
  tables_.push_back({block, first_inode});
}

void BlockRoles::visit_inode(std::uint64_t number, const Inode& inode) {
  constexpr std::uint32_t kFlags = EXT2_INDEX_FL | EXT4_CASEFOLD_FL | EXT4_ENCRYPT_FL;
  const bool has_entries = inode.is_directory() && inode.has_inline_data();
  if (!has_entries && (inode.flags() & kFlags) == 0) return;
  Directory directory{static_cast<std::uint32_t>(number), inode.flags(), {}};
  if (has_entries) directory.bytes.assign(inode.bytes().begin(), inode.bytes().end());
  directories_.push_back(std::move(directory));
}

void BlockRoles::add(const BlockRoles& other) {
  runs_.insert(runs_.end(), other.runs_.begin(), other.runs_.end());
  directories_.insert(directories_.end(), other.directories_.begin(), other.directories_.end());
  tables_.insert(tables_.end(), other.tables_.begin(), other.tables_.end());
  if (inodes_read_.empty()) inodes_read_ = other.inodes_read_;
}

}  // namespace e2qcow::ext2
