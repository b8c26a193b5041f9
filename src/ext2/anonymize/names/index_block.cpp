// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/names/index_block.h"

#include "base/bytes.h"
#include "ext2/structures/directory.h"

namespace e2qcow::ext2 {
namespace {

// '.' and '..', of which the second covers the rest of the block.
bool begins_as_root(std::span<const std::byte> block) {
  const EntryHead dot(block, block.size());
  const EntryHead parent(block.subspan(12), block.size());
  return dot.length == 12 && dot.name_length == 1 && parent.length == block.size() - 12 &&
         parent.name_length == 2 && load_le<std::uint8_t>(block, IndexBlock::kRootInfo + 5) == 8;
}

// An entry that is not in use covers the block.
bool begins_as_node(std::span<const std::byte> block) {
  const EntryHead head(block, block.size());
  return head.inode == 0 && head.length == block.size() && head.name_length == 0;
}

}  // namespace

std::optional<IndexBlock> parse_index_block(std::span<const std::byte> block) {
  const bool is_root = begins_as_root(block);
  if (!is_root && !begins_as_node(block)) return std::nullopt;
  const std::size_t entries = is_root ? IndexBlock::kRootEntries : IndexBlock::kNodeEntries;
  const IndexBlock index{entries, load_le<std::uint16_t>(block, entries),
                         load_le<std::uint16_t>(block, entries + 2),
                         load_le<std::uint8_t>(block, IndexBlock::kRootInfo + 4)};
  // With a checksum there is one entry less. A node without the right limit may be an empty block.
  const std::size_t room = (block.size() - entries) / IndexBlock::kEntryBytes;
  const bool has_right_limit = index.limit == room || index.limit + 1 == room;
  const bool makes_sense = index.count >= 1 && index.count <= room && (is_root || has_right_limit);
  return makes_sense ? std::optional(index) : std::nullopt;
}

}  // namespace e2qcow::ext2
