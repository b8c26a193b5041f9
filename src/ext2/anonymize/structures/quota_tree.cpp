// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/structures/quota_tree.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/stop.h"
#include "ext2/structures/file_blocks.h"
#include "ext2/structures/inode.h"
#include "ext2/structures/inode_table_reader.h"
#include "ext2/structures/quota_piece.h"

namespace e2qcow::ext2 {
namespace {

constexpr unsigned kLevels = 4;                 // above the leaves
constexpr std::uint32_t kRoot = 1;              // piece
constexpr std::uint64_t kMostBlocks = 1 << 20;  // no quota file has as many

// A number for each piece of the device.
std::uint64_t key_of(std::uint64_t block, std::size_t piece) {
  constexpr std::uint64_t kMostPieces = 64;  // in a block
  return block * kMostPieces + piece;
}

std::vector<std::uint64_t> blocks_of_inode(const Filesystem& filesystem, std::uint32_t number) {
  std::vector<std::uint64_t> blocks;
  const auto bytes = number == 0 ? std::nullopt : read_inode(filesystem, number);
  if (!bytes) return blocks;
  const Inode inode(*bytes);
  for (const BlockRun& run : blocks_of_file(filesystem, inode.map(), inode.uses_extents(), kMostBlocks))
    for (std::uint64_t i = 0; i < run.count; ++i) blocks.push_back(run.first == 0 ? 0 : run.first + i);
  return blocks;
}

}  // namespace

QuotaTrees::QuotaTrees(const Filesystem& filesystem, const Versions& versions) {
  const auto& raw = filesystem.superblock.raw;
  for (const std::uint32_t number : {raw.s_usr_quota_inum, raw.s_grp_quota_inum, raw.s_prj_quota_inum})
    visit({blocks_of_inode(filesystem, number), filesystem.geometry.block_size() / kQuotaPiece}, versions,
          kRoot, {.depth = 0, .higher = 0});
}

std::optional<QuotaTrees::Node> QuotaTrees::find(std::uint64_t block, std::size_t piece) const {
  const auto found = nodes_.find(key_of(block, piece));
  return found == nodes_.end() ? std::nullopt : std::optional(found->second);
}

// Each piece once, whatever refers to it.
void QuotaTrees::visit(const File& file, const Versions& versions, std::uint32_t piece, const Node& node) {
  throw_if_stopped();
  const std::size_t index = piece / file.pieces_in_block;
  const std::size_t in_block = piece % file.pieces_in_block;
  if (piece == 0 || index >= file.blocks.size() || file.blocks[index] == 0) return;
  const std::uint64_t block = file.blocks[index];
  if (node.depth == kLevels || !nodes_.emplace(key_of(block, in_block), node).second) return;
  for (const std::vector<std::byte>& bytes : versions(block)) {
    const auto children = std::span<const std::byte>(bytes).subspan(in_block * kQuotaPiece, kQuotaPiece);
    for (std::uint32_t i = 0; i < kQuotaPiece / sizeof(std::uint32_t); ++i)
      visit(file, versions, load_le<std::uint32_t>(children, i * sizeof(std::uint32_t)),
            {.depth = node.depth + 1, .higher = node.higher << 8 | i});
  }
}

}  // namespace e2qcow::ext2
