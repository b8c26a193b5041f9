#include "ext2/block_map.h"

#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext3_extents.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/stop.h"
#include "ext2/inode.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::size_t kQueueLimit = 4096;    // nodes; then they are read
constexpr std::size_t kPrefetchNodes = 256;  // ahead of the one that is read
constexpr std::size_t kEntrySize = 12;       // an extent header, an extent, an extent index
constexpr std::uint16_t kMaxDepth = 6;
constexpr std::uint16_t kMaxInitialised = 32768;  // a longer extent is unwritten; ext4 wiki, "Extent Tree"
constexpr std::size_t kDirectBlocks = 12;
constexpr std::uint16_t kRootEntries = Inode::kMapSize / kEntrySize - 1;

struct ExtentHeader {
  std::uint16_t magic;
  std::uint16_t entries;
  std::uint16_t max_entries;
  std::uint16_t depth;

  explicit ExtentHeader(std::span<const std::byte> bytes)
      : magic(load_le<std::uint16_t>(bytes, 0)),
        entries(load_le<std::uint16_t>(bytes, 2)),
        max_entries(load_le<std::uint16_t>(bytes, 4)),
        depth(load_le<std::uint16_t>(bytes, 6)) {}

  bool makes_sense(std::size_t node_bytes) const {
    return magic == EXT3_EXT_MAGIC && entries <= node_bytes / kEntrySize - 1 && depth <= kMaxDepth;
  }
  // A block number can look like the magic; the rest of a root hardly.
  bool is_surely_a_root() const { return makes_sense(Inode::kMapSize) && max_entries == kRootEntries; }
};

}  // namespace

BlockMapWalk::BlockMapWalk(const Filesystem& filesystem, Selection& selection, Findings& findings)
    : filesystem_(filesystem), selection_(selection), findings_(findings) {}

void BlockMapWalk::add(std::uint64_t inode, std::span<const std::byte> map, bool uses_extents,
                       std::optional<BlockClass> contents) {
  const ExtentHeader header(map);
  const bool looks_like_extents = uses_extents ? header.magic == EXT3_EXT_MAGIC : header.is_surely_a_root();
  // Where the inode's flag and its contents disagree, either may be the damaged one: follow both.
  if (looks_like_extents)
    add_extents(
        {0, static_cast<std::uint32_t>(inode), static_cast<std::uint8_t>(header.depth + 1), true, contents},
        map);
  if (!uses_extents || !looks_like_extents) add_indirect(inode, map, contents);
  if (uses_extents && !looks_like_extents && !is_zero(map)) findings_.add(Finding::bad_extent_node, inode, 0);
  if (queue_.size() >= kQueueLimit) read_queue();
}

void BlockMapWalk::add_extents(const Node& parent, std::span<const std::byte> bytes) {
  const ExtentHeader header(bytes);
  if (!header.makes_sense(bytes.size()) || header.depth + 1 != parent.height) {
    findings_.add(Finding::bad_extent_node, parent.inode, parent.block);
    return;
  }
  const auto entries = bytes.subspan(kEntrySize, header.entries * kEntrySize);
  if (header.depth > 0)
    add_extent_index(parent, entries);
  else if (parent.contents)
    add_extent_leaf(parent, entries);
}

void BlockMapWalk::add_extent_leaf(const Node& leaf, std::span<const std::byte> entries) {
  for (; !entries.empty(); entries = entries.subspan(kEntrySize)) {
    const auto length = load_le<std::uint16_t>(entries, 4);
    const std::uint64_t block = load_le<std::uint32_t>(entries, 8) |
                                static_cast<std::uint64_t>(load_le<std::uint16_t>(entries, 6)) << 32;
    const std::uint64_t count = length <= kMaxInitialised ? length : length - kMaxInitialised;
    select(leaf, *leaf.contents, {block, count});
  }
}

void BlockMapWalk::add_extent_index(const Node& parent, std::span<const std::byte> entries) {
  for (; !entries.empty(); entries = entries.subspan(kEntrySize)) {
    const std::uint64_t block = load_le<std::uint32_t>(entries, 4) |
                                static_cast<std::uint64_t>(load_le<std::uint16_t>(entries, 8)) << 32;
    Node child = parent;
    child.block = block;
    child.height = parent.height - 1;
    queue(child);
  }
}

void BlockMapWalk::add_indirect(std::uint64_t inode, std::span<const std::byte> map,
                                std::optional<BlockClass> contents) {
  Node node{0, static_cast<std::uint32_t>(inode), 1, false, contents};
  add_pointers(node, map.first(kDirectBlocks * sizeof(std::uint32_t)));
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
      select(node, *node.contents, {child.block, 1});
  }
}

void BlockMapWalk::select(const Node& owner, BlockClass block_class, BlockRun run) {
  if (!filesystem_.geometry.contains(run)) findings_.add(Finding::block_out_of_range, owner.inode, run.first);
  if (run.first != 0) selection_.add(block_class, filesystem_.geometry.clip(run));
}

// Selects the node, and puts it into the queue unless nothing in it matters.
void BlockMapWalk::queue(const Node& node) {
  const BlockClass own = node.is_extent ? BlockClass::extent_trees : BlockClass::indirect_blocks;
  select(node, own, {node.block, 1});
  if (node.block == 0 || node.block >= filesystem_.geometry.blocks()) return;
  if (node.height == 1 && !node.contents) return;
  const std::uint64_t role = node.height * 4U + (node.is_extent ? 2U : 0U) + (node.contents ? 1U : 0U);
  if (visited_.insert(node.block * 64 + role).second) queue_.push_back(node);
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
