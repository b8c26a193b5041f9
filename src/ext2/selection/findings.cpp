// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/selection/findings.h"

#include <array>

namespace e2qcow::ext2 {

FindingText text_of(std::uint8_t number) {
  constexpr std::array<FindingText, 9> kTexts{{
      {"bad-extent-node", "extent node that makes no sense", "kept, not followed"},
      {"block-out-of-range", "pointer to a block outside the file system", "not followed"},
      {"bad-block-bitmap", "block bitmap that cannot be believed", "kept; its group counts as in use"},
      {"bad-group-descriptor", "group descriptor with tables outside the file system", "kept, not followed"},
      {"short-device", "device shorter than its file system", "what is missing is zeros"},
      {"backup-superblock", "backup superblock used", "it tells where things are"},
      {"no-superblock", "no superblock found", "what else can be recognised is kept"},
      {"overlapping-inode-tables", "inode table on top of another", "each block is read for one group"},
      {"repaired-superblock", "superblock with a wrong number of inodes in a group, and no backup",
       "kept; its other numbers tell it"},
  }};
  if (number < kTexts.size()) return kTexts[number];
  return {"unknown", "something that this version has no name for", ""};
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
