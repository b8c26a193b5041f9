// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// The trees in quota files: each node is for ids with the same higher bytes, and the next byte is the index
// in it. Source of the format: the kernel's fs/quota/quota_tree.c
class QuotaTrees {
 public:
  // All versions of a block: on the device, and in the journal.
  using Versions = std::function<std::vector<std::vector<std::byte>>(std::uint64_t block)>;

  QuotaTrees() = default;
  // Reads the trees of the quota files that the superblock names.
  QuotaTrees(const Filesystem& filesystem, const Versions& versions);

  struct Node {
    unsigned depth;        // 0: the root
    std::uint32_t higher;  // bytes of ids, as many as the depth
  };
  // Absent if the piece of the block is no node of a tree.
  std::optional<Node> find(std::uint64_t block, std::size_t piece) const;

 private:
  struct File {
    std::vector<std::uint64_t> blocks;
    std::size_t pieces_in_block;
  };
  void visit(const File& file, const Versions& versions, std::uint32_t piece, const Node& node);

  std::unordered_map<std::uint64_t, Node> nodes_;
};

}  // namespace e2qcow::ext2
