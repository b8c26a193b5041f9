// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/selection/block_map.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/stop.h"
#include "ext2/structures/extent_node.h"
#include "ext2/structures/inode.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::size_t kQueueLimit = 4096;    // nodes; then they are read
constexpr std::size_t kPrefetchNodes = 256;  // ahead of the one that is read
constexpr std::size_t kEntrySize = ExtentHeader::kEntrySize;
constexpr std::size_t kDirectBlocks = 12;

}  // namespace

BlockMapWalk::BlockMapWalk(const Filesystem& filesystem, BlockVisitor& visitor, Findings& findings)
    : filesystem_(filesystem), visitor_(visitor), findings_(findings) {}

BlockMapWalk::Role::Role(const Node& node)
    : block(node.block),
      height(node.height),
      is_extent(node.is_extent),
      has_contents(node.contents.has_value()),
      first_block_alone(node.contents && node.contents->first_block_alone) {}

void BlockMapWalk::add(std::uint64_t inode, std::span<const std::byte> map, bool uses_extents,
                       std::optional<Contents> contents) {
  const ExtentHeader header(map);
  const bool looks_like_extents =
      uses_extents ? header.magic == EXT3_EXT_MAGIC : header.is_surely_a_root(map.size());
  const bool is_root = looks_like_extents && header.makes_sense(map.size());
  // If the inode's flag and its contents disagree, either may be damaged: follow both.
  if (is_root) {
    const auto height = static_cast<std::uint8_t>(std::min(header.depth, ExtentHeader::kMaxDepth) + 1);
    add_extents({0, static_cast<std::uint32_t>(inode), height, true, contents}, map);
  }
  if (!uses_extents || !looks_like_extents) add_indirect(inode, map, contents);
  if (uses_extents && !is_root && !is_zero(map)) findings_.add(Finding::bad_extent_node, inode, 0);
  if (queue_.size() >= kQueueLimit) read_queue();
}

void BlockMapWalk::add_extents(const Node& parent, std::span<const std::byte> bytes) {
  const ExtentHeader header(bytes);
  const bool has_right_depth = header.depth + 1 == parent.height;
  if (!header.makes_sense(bytes.size()) || !has_right_depth)
    findings_.add(Finding::bad_extent_node, parent.inode, parent.block);
  if (!header.makes_sense(bytes.size())) return;
  const auto entries = bytes.subspan(kEntrySize, header.entries * kEntrySize);
  if (parent.height > 1)
    add_extent_index(parent, entries);
  else if (parent.contents)
    add_extent_leaf(parent, entries);
}

void BlockMapWalk::add_extent_leaf(const Node& leaf, std::span<const std::byte> entries) {
  for (; !entries.empty(); entries = entries.subspan(kEntrySize)) {
    const BlockRun run = extent_run(entries);
    const bool first_alone = leaf.contents->first_block_alone;
    visit(leaf, leaf.contents->block_class, {run.first, first_alone ? 1 : run.count});
    if (first_alone) return;
  }
}

void BlockMapWalk::add_extent_index(const Node& parent, std::span<const std::byte> entries) {
  std::optional<Contents> contents = parent.contents;
  for (; !entries.empty(); entries = entries.subspan(kEntrySize)) {
    Node child = parent;
    child.block = extent_child(entries);
    child.height = parent.height - 1;
    child.contents = contents;
    queue(child);
    if (contents && contents->first_block_alone) contents.reset();
  }
}

void BlockMapWalk::add_indirect(std::uint64_t inode, std::span<const std::byte> map,
                                std::optional<Contents> contents) {
  Node node{0, static_cast<std::uint32_t>(inode), 1, false, contents};
  const bool first_alone = contents && contents->first_block_alone;
  add_pointers(node, map.first((first_alone ? 1 : kDirectBlocks) * sizeof(std::uint32_t)));
  if (first_alone) node.contents.reset();
  for (std::uint8_t level = 1; level <= 3; ++level) {
    node.block = load_le<std::uint32_t>(map, (kDirectBlocks + level - 1) * sizeof(std::uint32_t));
    node.height = level;
    if (node.block != 0) queue(node);
  }
}

void BlockMapWalk::add_pointers(const Node& node, std::span<const std::byte> pointers) {
  for (; !pointers.empty(); pointers = pointers.subspan(sizeof(std::uint32_t))) {
    Node child = node;
    child.block = load_le<std::uint32_t>(pointers, 0);
    --child.height;
    if (child.block == 0) continue;
    if (child.height > 0)
      queue(child);
    else if (node.contents)
      visit(node, node.contents->block_class, {child.block, 1});
  }
}

void BlockMapWalk::visit(const Node& owner, BlockClass block_class, BlockRun run) {
  if (!filesystem_.geometry.contains(run)) findings_.add(Finding::block_out_of_range, owner.inode, run.first);
  if (run.first != 0) visitor_.visit(block_class, filesystem_.geometry.clip(run), owner.inode);
}

// Selects the node, and queues it unless nothing in it is wanted.
void BlockMapWalk::queue(const Node& node) {
  const BlockClass own = node.is_extent ? BlockClass::extent_trees : BlockClass::indirect_blocks;
  visit(node, own, {node.block, 1});
  if (node.block == 0 || node.block >= filesystem_.geometry.blocks()) return;
  if (node.height == 1 && !node.contents) return;
  if (visited_.insert(Role(node)).second) queue_.push_back(node);
}

void BlockMapWalk::finish() {
  while (!queue_.empty()) read_queue();
}

void BlockMapWalk::read_queue() {
  std::vector<Node> nodes;
  nodes.swap(queue_);
  std::ranges::sort(nodes, {}, &Node::block);
  const std::uint32_t block_size = filesystem_.geometry.block_size();
  std::vector<std::byte> bytes(block_size);
  std::size_t prefetched = 0;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    throw_if_stopped();
    for (; prefetched < std::min(nodes.size(), i + kPrefetchNodes); ++prefetched)
      filesystem_.file.prefetch({nodes[prefetched].block * block_size, block_size});
    filesystem_.file.read(nodes[i].block * block_size, bytes);
    if (nodes[i].is_extent)
      add_extents(nodes[i], bytes);
    else
      add_pointers(nodes[i], bytes);
  }
}

}  // namespace e2qcow::ext2
