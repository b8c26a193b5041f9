#include "ext2/findings.h"

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
    case Finding::no_superblock:
      return "no superblock found";
    case Finding::overlapping_tables:
      return "overlapping inode tables";
  }
  return "";
}

void Findings::add(Finding finding, std::uint64_t inode, std::uint64_t block) {
  const std::scoped_lock lock(mutex_);
  const Entry entry{finding, inode, block};
  const bool is_full = entries_.size() >= kMaxEntries;
  if (is_full ? entries_.contains(entry) : !entries_.insert(entry).second) return;
  Summary& summary = summary_[finding];
  if (summary.count == 0 || entry < summary.first) summary.first = entry;
  ++summary.count;
}

std::uint64_t Findings::total() const {
  const std::scoped_lock lock(mutex_);
  std::uint64_t total = 0;
  for (const auto& [finding, summary] : summary_) total += summary.count;
  return total;
}

std::map<Finding, Findings::Summary> Findings::summary() const {
  const std::scoped_lock lock(mutex_);
  return summary_;
}

std::vector<Findings::Entry> Findings::entries() const {
  const std::scoped_lock lock(mutex_);
  return {entries_.begin(), entries_.end()};
}

}  // namespace e2qcow::ext2
