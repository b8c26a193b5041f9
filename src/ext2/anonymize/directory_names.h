// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ext2/anonymize/journal/journal_blocks.h"
#include "ext2/anonymize/names/directory_plan.h"
#include "ext2/anonymize/names/directory_rules.h"
#include "ext2/anonymize/role_map.h"
#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// Where names are.
struct DirectorySources {
  const BlockRoles& roles;
  const RoleMap& map;
  const JournalBlocks& journal;
};

// The new names in all directories of a file system.
class DirectoryNames {
 public:
  // Reads the directories. `filesystem` and the map must outlive it.
  DirectoryNames(const Filesystem& filesystem, const DirectorySources& sources, const Secret& secret,
                 unsigned threads);

  // The seed with which new names are hashed.
  const std::array<std::uint32_t, 4>& hash_seed() const { return naming_.new_hash.seed; }

  // Calls `use` with the namer of the directory.
  template <typename Use>
  void with_namer(std::uint32_t directory, Use use) const {
    const auto found = directories_.find(directory);
    const DirectoryRules plain{.inode = directory};
    use(DirectoryNamer(naming_, found == directories_.end() ? plain : found->second));
  }

  // Calls back for each name in the directories, as they are before a replay, with its replacement.
  // `roles` are the same as before.
  struct Renamed {
    std::uint32_t directory;
    std::uint32_t inode;
    std::string_view before;
    std::string_view after;
  };
  void for_each_name(const BlockRoles& roles, const std::function<void(const Renamed&)>& visit) const;

 private:
  void draw_hash_seed(const Secret& secret, const DirectoryParts* root);
  void plan_directories(const std::unordered_map<std::uint32_t, DirectoryParts>& parts, unsigned threads);
  void visit_names(std::uint32_t directory, std::span<const std::byte> entries,
                   const std::function<void(const Renamed&)>& visit) const;

  const Filesystem& filesystem_;
  const RoleMap& map_;
  Naming naming_;
  std::unordered_map<std::uint32_t, DirectoryRules> directories_;  // those that are not plain
};

}  // namespace e2qcow::ext2
