// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string_view>
#include <vector>

namespace e2qcow::ext2 {

// The numbers are written into images: append, never change.
enum class Finding : std::uint8_t {
  bad_extent_node = 0,       // its header or entries make no sense
  block_out_of_range = 1,    // a pointer to a block that is not in the file system
  bad_block_bitmap = 2,      // its checksum is wrong
  bad_group_descriptor = 3,  // it names blocks that are not in the file system
  short_device = 4,          // it ends before the file system does
  backup_superblock = 5,     // the primary superblock was not used
  no_superblock = 6,         // none was found
  overlapping_tables = 7,    // the inode tables of two groups are in one place
  repaired_superblock = 8,  // the primary says what cannot be of the inodes in a group, and there is no other
};

// What is said of a finding.
struct FindingText {
  std::string_view name;  // never changes, for programs
  std::string_view text;
  std::string_view action;  // what the dump did
};
// `number` may come from an image that a later version wrote.
FindingText text_of(std::uint8_t number);
inline FindingText text_of(Finding finding) {
  return text_of(static_cast<std::uint8_t>(finding));
}

// What is wrong with a file system, as seen on the way; the same thing counts once. May be added to by
// several threads at once.
class Findings {
 public:
  struct Entry {
    Finding finding;
    std::uint64_t inode;  // 0: not of an inode
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
  // In order, at most kMaxEntries; the counts go on.
  std::vector<Entry> entries() const;

  static constexpr std::size_t kMaxEntries = 10'000;

 private:
  mutable std::mutex mutex_;
  std::map<Finding, Summary> summary_;
  std::set<Entry> entries_;
};

}  // namespace e2qcow::ext2
