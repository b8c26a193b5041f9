// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/selection/findings.h"

namespace e2qcow::ext2 {

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
