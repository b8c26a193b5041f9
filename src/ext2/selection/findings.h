// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "image/finding.h"

namespace e2qcow::ext2 {

// The inconsistencies that a walk finds in a file system; each counts once. Several threads may add to it at
// once.
class Findings {
 public:
  struct Entry {
    Finding finding;
    std::uint64_t inode;  // 0: belongs to no inode
    std::uint64_t block;
    // NOLINTNEXTLINE(modernize-use-nullptr): it takes the 0 of the comparison for a pointer
    friend auto operator<=>(const Entry&, const Entry&) = default;
  };

  void add(Finding finding, std::uint64_t inode, std::uint64_t block);

  std::uint64_t total() const;
  struct Summary {
    std::uint64_t count = 0;
    Entry first{};  // in the order of entries()
  };
  std::map<Finding, Summary> summary() const;
  // In order, at most kMaxEntries; the counts include all.
  std::vector<Entry> entries() const;

  static constexpr std::size_t kMaxEntries = 10'000;

 private:
  mutable std::mutex mutex_;
  std::map<Finding, Summary> summary_;
  std::set<Entry> entries_;
};

}  // namespace e2qcow::ext2
