#include "ext2/findings.h"

#include <algorithm>

namespace e2qcow::ext2 {

const char* name_of(Finding finding) {
  switch (finding) {
    case Finding::bad_extent_node:
      return "bad extent node";
    case Finding::block_out_of_range:
      return "block out of range";
    case Finding::bad_block_bitmap:
      return "bad block bitmap";
    case Finding::bad_group_descriptor:
      return "bad group descriptor";
    case Finding::short_device:
      return "device shorter than its file system";
    case Finding::backup_superblock:
      return "backup superblock used";
  }
  return "";
}

void Findings::add(Finding finding, std::uint64_t inode, std::uint64_t block) {
  const std::scoped_lock lock(mutex_);
  ++counts_[finding];
  if (entries_.size() < kMaxEntries) entries_.push_back({finding, inode, block});
}

std::uint64_t Findings::total() const {
  const std::scoped_lock lock(mutex_);
  std::uint64_t total = 0;
  for (const auto& [finding, count] : counts_) total += count;
  return total;
}

std::map<Finding, std::uint64_t> Findings::counts() const {
  const std::scoped_lock lock(mutex_);
  return counts_;
}

std::vector<Findings::Entry> Findings::entries() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Entry> sorted = entries_;
  std::ranges::sort(sorted);
  return sorted;
}

}  // namespace e2qcow::ext2
