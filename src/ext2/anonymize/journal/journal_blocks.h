// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "ext2/anonymize/journal/fast_commit_area.h"
#include "ext2/anonymize/replacement/strict_rules.h"
#include "ext2/journal/log_parts.h"
#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// The blocks of a journal that stay: its superblock, and what would be replayed. The rest is old.
class JournalBlocks {
 public:
  // `filesystem` and `strict` must outlive it. Where the inode of the journal cannot be found, its superblock
  // may be at one of the candidates.
  JournalBlocks(const Filesystem& filesystem, const StrictRules& strict,
                std::span<const std::uint64_t> candidates);

  bool stays(std::uint64_t device_block) const { return blocks_.contains(device_block); }

  // Calls back with each block that a copy is of, and where the copy is.
  void for_each_copy(
      const std::function<void(std::uint64_t target, std::uint64_t device_block)>& visit) const;
  // Where the copies of a block are.
  std::vector<std::uint64_t> copies_of(std::uint64_t target) const;
  std::vector<FastCommitArea::Name> names_in_fast_commits() const { return fast_commits_.names(); }
  // Call it before blocks of them are replaced.
  void replace_fast_commits(const FastCommitRules& rules, Tally& tally);

  // Replaces a block of the device, with checksums as right as they were. `replace_target` does so for a
  // block that is copied.
  using ReplaceTarget = std::function<void(std::uint64_t target, std::span<std::byte>, Tally&)>;
  void replace(std::uint64_t device_block, std::span<std::byte> bytes, const ReplaceTarget& replace_target,
               Tally& tally) const;

 private:
  void find(std::vector<BlockRun> blocks);
  std::vector<std::byte> read(std::uint64_t device_block) const;
  std::vector<std::byte> replaced(std::size_t part, const ReplaceTarget& replace_target) const;
  void replace_superblock(std::span<std::byte> bytes) const;
  void replace_part(std::size_t part, std::span<std::byte> bytes, const ReplaceTarget& replace_target,
                    Tally& tally) const;
  bool replace_copy(const LogPart& part, std::span<std::byte> bytes, const ReplaceTarget& replace_target,
                    Tally& tally) const;
  void replace_tags(std::size_t part, std::span<std::byte> bytes, const ReplaceTarget& replace_target) const;
  void patch_transaction(std::size_t part, std::span<std::byte> bytes,
                         const ReplaceTarget& replace_target) const;

  const Filesystem& filesystem_;
  const StrictRules& strict_;
  SeedDifference seed_difference_;  // of the log's checksums
  std::optional<JournalLog> log_;
  std::vector<LogPart> parts_;
  static constexpr std::size_t kSuperblock = ~std::size_t{0};
  static constexpr std::size_t kFastCommit = kSuperblock - 1;
  std::unordered_map<std::uint64_t, std::size_t> blocks_;         // of the device: the part
  std::unordered_multimap<std::uint64_t, std::uint64_t> copies_;  // by what they are copies of
  FastCommitArea fast_commits_;
  std::map<std::uint64_t, std::vector<std::byte>> new_fast_commits_;
};

}  // namespace e2qcow::ext2
