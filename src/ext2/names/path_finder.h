// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ext2/selection/block_visitor.h"
#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// Finds the names of inodes in the directories of a file system, which may be damaged. Its memory grows with
// the number of directories.
class PathFinder : public BlockVisitor {
 public:
  // `filesystem` must outlive it.
  explicit PathFinder(const Filesystem& filesystem) : filesystem_(filesystem) {}

  // Collects the directories that a walk finds.
  void visit(BlockClass block_class, BlockRun run, std::uint64_t inode) override;
  void visit_inline_directory(std::uint64_t inode, std::span<const std::byte> map) override;

  // Reads the directories and remembers the names of directories and of these inodes.
  void read_names(std::unordered_set<std::uint64_t> wanted);

  // "/home/me/letter". If a directory on the way has no name, the path begins with its inode, as debugfs
  // writes it: "<1234>/letter". Empty if the inode has no name.
  std::string path_of(std::uint64_t inode) const;
  // The root has one.
  bool has_name(std::uint64_t inode) const;
  // All wanted inodes that have a name.
  std::vector<std::uint64_t> named() const;

 private:
  void add_names(std::uint64_t directory, std::span<const std::byte> block);

  struct Blocks {
    std::uint64_t directory;
    BlockRun run;
  };
  struct InlineEntries {
    std::uint64_t directory;
    std::vector<std::byte> bytes;
  };
  struct Name {
    std::uint64_t directory;
    std::string name;
  };

  const Filesystem& filesystem_;
  std::vector<Blocks> blocks_;
  std::vector<InlineEntries> inline_;
  std::unordered_set<std::uint64_t> wanted_;
  std::unordered_map<std::uint64_t, Name> names_;
};

}  // namespace e2qcow::ext2
