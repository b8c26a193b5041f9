// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ext2/anonymize/replacement/tally.h"
#include "ext2/journal/journal_log.h"

namespace e2qcow::ext2 {

// How what fast commits hold is replaced.
struct FastCommitRules {
  std::function<std::string(std::uint32_t directory, std::string_view name, Tally&)> new_name;  // as long
  std::function<void(std::uint32_t inode, std::span<std::byte> bytes, Tally&)> anonymize_inode;
};

// The area of fast commits of a journal, as far as it belongs to the sequence after the log's last
// transaction and was finished. Source of the format: the kernel's fs/ext4/fast_commit.h
class FastCommitArea {
 public:
  FastCommitArea() = default;
  FastCommitArea(const JournalLog& log, std::uint32_t sequence);

  struct Name {
    std::uint32_t directory;
    std::string name;
  };
  std::vector<Name> names() const;

  // The blocks of the area, by where they are on the device; those behind its end are not among them.
  std::map<std::uint64_t, std::vector<std::byte>> anonymized(const FastCommitRules& rules,
                                                             Tally& tally) const;

 private:
  struct Block {
    std::uint64_t device_block;
    std::vector<std::byte> bytes;
    std::size_t end;  // of what is in use
  };
  std::vector<Block> blocks_;
};

}  // namespace e2qcow::ext2
