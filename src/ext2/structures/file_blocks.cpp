// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/structures/file_blocks.h"

#include <algorithm>
#include <unordered_set>

#include "base/bytes.h"
#include "base/stop.h"
#include "ext2/structures/extent_node.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::size_t kPointer = sizeof(std::uint32_t);
constexpr std::size_t kDirectBlocks = 12;
constexpr std::uint16_t kUsualDepth = 5;  // the most that ext4 makes

struct MappedRun {
  std::uint64_t logical;
  BlockRun blocks;
};

// Collects the blocks of a block map, in any order.
class FileMap {
 public:
  FileMap(const Filesystem& filesystem, std::uint64_t limit) : filesystem_(filesystem), limit_(limit) {}

  void add_extents(std::span<const std::byte> root) {
    const ExtentHeader header(root);
    if (header.makes_sense_as_root(root.size())) add_node(root, header.depth);
  }

  void add_indirect(std::span<const std::byte> map) {
    std::uint64_t logical = 0;
    add_pointers(map.first(kDirectBlocks * kPointer), 0, logical);
    for (unsigned level = 1; level <= 3; ++level) {
      const auto pointer = map.subspan((kDirectBlocks + level - 1) * kPointer, kPointer);
      add_pointers(pointer, level, logical);
    }
  }

  std::vector<BlockRun> in_order() && {
    std::ranges::stable_sort(runs_, {}, &MappedRun::logical);
    std::vector<BlockRun> blocks;
    std::uint64_t position = 0;
    for (const MappedRun& run : runs_) {
      if (run.logical >= limit_) break;
      if (run.logical < position) continue;  // if runs overlap, the first counts
      if (run.logical > position) blocks.push_back({0, run.logical - position});
      const std::uint64_t count = std::min(run.blocks.count, limit_ - run.logical);
      blocks.push_back({run.blocks.first, count});
      position = run.logical + count;
    }
    return blocks;
  }

 private:
  // Leaves have depth 0.
  void add_node(std::span<const std::byte> node, unsigned depth) {
    const ExtentHeader header(node);
    if (!header.makes_sense(node.size())) return;
    for (std::size_t i = 0; i < header.entries; ++i) {
      const auto entry = node.subspan((i + 1) * ExtentHeader::kEntrySize, ExtentHeader::kEntrySize);
      if (depth == 0)
        add(load_le<std::uint32_t>(entry, 0), extent_run(entry));
      else if (const auto child = read(extent_child(entry)); !child.empty())
        add_node(child, depth - 1);
    }
  }

  void add(std::uint64_t logical, BlockRun blocks) {
    if (blocks.first == 0 || filesystem_.geometry.clip(blocks) != blocks) return;
    const bool continues = !runs_.empty() && runs_.back().logical + runs_.back().blocks.count == logical &&
                           runs_.back().blocks.end() == blocks.first;
    if (continues)
      runs_.back().blocks.count += blocks.count;
    else
      runs_.push_back({logical, blocks});
  }

  // Empty if the block is not on the device, or was read before: no valid map uses a node twice.
  std::vector<std::byte> read(std::uint64_t block) {
    throw_if_stopped();
    if (block == 0 || filesystem_.geometry.clip({block, 1}).count == 0 || !seen_.insert(block).second)
      return {};
    std::vector<std::byte> bytes(filesystem_.geometry.block_size());
    filesystem_.file.read(filesystem_.geometry.bytes({block, 1}).offset, bytes);
    return bytes;
  }

  // `logical` is the position in the file of the first block mapped here, and afterwards of the one after the
  // last.
  void add_pointers(std::span<const std::byte> pointers, unsigned level, std::uint64_t& logical) {
    const std::uint64_t per_block = filesystem_.geometry.block_size() / kPointer;
    std::uint64_t covered = 1;
    for (unsigned i = 0; i < level; ++i) covered *= per_block;
    for (; !pointers.empty() && logical < limit_; pointers = pointers.subspan(kPointer)) {
      const std::uint64_t block = load_le<std::uint32_t>(pointers, 0);
      const std::uint64_t begin = logical;
      if (level == 0) {
        add(logical, {block, 1});
      } else if (const auto node = read(block); !node.empty()) {
        add_pointers(node, level - 1, logical);
      }
      logical = begin + covered;
    }
  }

  const Filesystem& filesystem_;
  std::uint64_t limit_;
  std::vector<MappedRun> runs_;
  std::unordered_set<std::uint64_t> seen_;
};

}  // namespace

std::vector<BlockRun> blocks_of_file(const Filesystem& filesystem, std::span<const std::byte> map,
                                     bool uses_extents, std::uint64_t limit) {
  FileMap file_map(filesystem, limit);
  if (uses_extents)
    file_map.add_extents(map);
  else
    file_map.add_indirect(map);
  return std::move(file_map).in_order();
}

std::optional<std::uint64_t> first_block_of_file(const Filesystem& filesystem, std::span<const std::byte> map,
                                                 bool uses_extents) {
  const Geometry& geometry = filesystem.geometry;
  const auto on_device = [&](std::uint64_t block) {
    return block != 0 && geometry.clip({block, 1}).count == 1 ? std::optional(block) : std::nullopt;
  };
  if (!uses_extents) return on_device(load_le<std::uint32_t>(map, 0));
  const std::uint16_t depth = ExtentHeader(map).depth;
  if (depth > kUsualDepth) return std::nullopt;
  std::vector<std::byte> node(map.begin(), map.end());
  for (unsigned height = depth;; --height) {
    const ExtentHeader header(node);
    if (!header.makes_sense(node.size()) || header.entries == 0) return std::nullopt;
    const auto entry = std::span(node).subspan(ExtentHeader::kEntrySize, ExtentHeader::kEntrySize);
    if (load_le<std::uint32_t>(entry, 0) != 0) return std::nullopt;
    if (height == 0) return on_device(extent_run(entry).first);
    const auto child = on_device(extent_child(entry));
    if (!child) return std::nullopt;
    node.resize(geometry.block_size());
    filesystem.file.read(geometry.bytes({*child, 1}).offset, node);
  }
}

}  // namespace e2qcow::ext2
