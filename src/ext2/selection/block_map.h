// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <span>
#include <unordered_set>
#include <vector>

#include "ext2/selection/block_visitor.h"
#include "ext2/selection/findings.h"
#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// Selects the blocks that block maps of inodes consist of (extent nodes, indirect blocks) and, if the
// contents of the inode are wanted, the blocks that they map. It trusts nothing: an invalid node is selected
// and reported, but not followed. Each node is visited once in each role, so the size of the device bounds
// the work. Nodes are collected, and then read in the order of the disk.
class BlockMapWalk {
 public:
  // The arguments must outlive the walk.
  BlockMapWalk(const Filesystem& filesystem, BlockVisitor& visitor, Findings& findings);

  // Which of the mapped blocks are wanted, and their class.
  struct Contents {
    BlockClass block_class;
    bool first_block_alone = false;
    friend bool operator==(const Contents&, const Contents&) = default;
  };

  // `map` is the inode's 60 bytes.
  void add(std::uint64_t inode, std::span<const std::byte> map, bool uses_extents,
           std::optional<Contents> contents);

  // Reads and follows the nodes that are left.
  void finish();

 private:
  struct Node {
    std::uint64_t block;
    std::uint32_t inode;
    std::uint8_t height;  // above the mapped blocks: 1 is a leaf; 0 is never queued
    bool is_extent;
    std::optional<Contents> contents;
  };

  // The role in which a node is read, and its purpose.
  struct Role {
    explicit Role(const Node& node);
    friend bool operator==(const Role&, const Role&) = default;
    struct Hash {
      std::size_t operator()(const Role& role) const { return std::hash<std::uint64_t>()(role.block); }
    };

    std::uint64_t block;
    std::uint8_t height;
    bool is_extent;
    bool has_contents;
    bool first_block_alone;
  };

  void add_extents(const Node& parent, std::span<const std::byte> bytes);
  void add_extent_leaf(const Node& leaf, std::span<const std::byte> entries);
  void add_extent_index(const Node& parent, std::span<const std::byte> entries);
  void add_indirect(std::uint64_t inode, std::span<const std::byte> map, std::optional<Contents> contents);
  void add_pointers(const Node& node, std::span<const std::byte> pointers);
  void queue(const Node& node);
  void visit(const Node& owner, BlockClass block_class, BlockRun run);
  void read_queue();

  const Filesystem& filesystem_;
  BlockVisitor& visitor_;
  Findings& findings_;
  std::vector<Node> queue_;
  std::unordered_set<Role, Role::Hash> visited_;
};

}  // namespace e2qcow::ext2
