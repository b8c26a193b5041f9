// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/structures/block_lists.h"

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "ext2/anonymize/replacement/patch_checksum.h"
#include "ext2/structures/extent_node.h"
#include "ext2/structures/nowhere.h"
#include "ext2/structures/orphan_block.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::uint16_t kNowhereHigh = 0xffff;
constexpr std::size_t kEntry = ExtentHeader::kEntrySize;

// A number of 48 bits, in two parts.
void replace_if_outside(std::span<std::byte> entry, std::size_t low, std::size_t high, std::uint64_t blocks,
                        Tally& tally) {
  const std::uint64_t block = load_le<std::uint32_t>(std::span<const std::byte>(entry), low) |
                              std::uint64_t{load_le<std::uint16_t>(std::span<const std::byte>(entry), high)}
                                  << 32;
  if (block < blocks) return;
  store_le(entry, low, kNowhere);
  store_le(entry, high, kNowhereHigh);
  ++tally.replaced;
}

}  // namespace

bool anonymize_extents(std::span<std::byte> node, std::uint64_t blocks, Tally& tally) {
  const ExtentHeader header(node);
  if (!header.makes_sense(node.size())) return false;
  for (std::size_t i = 1; i <= header.entries; ++i) {
    const auto entry = node.subspan(i * kEntry, kEntry);
    if (header.depth == 0) {
      replace_if_outside(entry, 8, 6, blocks, tally);
    } else {
      replace_if_outside(entry, 4, 8, blocks, tally);
      clear(entry.subspan(10));  // not used
    }
  }
  clear(node.subspan((header.entries + 1U) * kEntry));
  return true;
}

void anonymize_extent_block(std::span<std::byte> block, const Checksums& checksums, std::uint64_t blocks,
                            Tally& tally) {
  const std::vector<std::byte> before(block.begin(), block.end());
  const std::size_t tail = (ExtentHeader(block).max_entries + std::size_t{1}) * kEntry;
  if (!anonymize_extents(block, blocks, tally)) {
    ++tally.not_parsed;
    return clear(block);
  }
  if (checksums.exist && tail + sizeof(std::uint32_t) <= block.size())
    patch_checksum(before, block, tail, checksums.seed.after(SeedDifference::kInodeNumbers));
}

namespace {

// Four bytes of a text: on disks of more than 2 TiB there are blocks of such numbers.
bool may_be_text(std::uint32_t pointer) {
  for (; pointer != 0; pointer >>= 8) {
    const std::uint32_t byte = pointer & 0xff;
    if (byte < ' ' && byte != '\t' && byte != '\n' && byte != '\r') return false;
  }
  return true;
}

// Blocks of a file are near each other, and pieces of a text hardly ever.
bool are_near(std::uint32_t a, std::uint32_t b) {
  constexpr std::uint32_t kNear = 4096;
  return b != 0 && (a > b ? a - b : b - a) <= kNear;
}

}  // namespace

void anonymize_pointers(std::span<std::byte> pointers, std::uint64_t blocks, Tally& tally) {
  const std::vector<std::byte> before(pointers.begin(), pointers.end());
  const std::size_t count = pointers.size() / sizeof(std::uint32_t);
  const auto pointer = [&](std::size_t i) {
    return i < count ? load_le<std::uint32_t>(before, i * sizeof(std::uint32_t)) : 0;
  };
  for (std::size_t i = 0; i < count; ++i) {
    const bool has_neighbour =
        are_near(pointer(i), pointer(i + 1)) || (i > 0 && are_near(pointer(i), pointer(i - 1)));
    const bool is_text = pointer(i) > 0xffffff && may_be_text(pointer(i)) && !has_neighbour;
    if (pointer(i) < blocks && !is_text) continue;
    store_le(pointers, i * sizeof(std::uint32_t), kNowhere);
    ++tally.replaced;
  }
}

// Source: <ext2fs/ext2_fs.h>, struct ext4_orphan_block_tail
void anonymize_orphans(std::span<std::byte> block, const Checksums& checksums, std::uint32_t inodes,
                       Tally& tally) {
  const std::size_t tail = block.size() - OrphanBlock::kTail;
  if (!OrphanBlock::is_one(block)) {
    ++tally.not_parsed;
    return clear(block);
  }
  const std::vector<std::byte> before(block.begin(), block.end());
  for (std::size_t i = 0; i < tail; i += sizeof(std::uint32_t)) {
    if (OrphanBlock::may_be_inode(block, i, inodes)) continue;
    store_le(block, i, OrphanBlock::kNone);
    ++tally.replaced;
  }
  const std::uint32_t difference =
      crc_difference(std::span(before).first(tail), std::span<const std::byte>(block).first(tail),
                     checksums.seed.after(SeedDifference::kInodeNumbers + SeedDifference::kBlockNumber));
  const std::uint32_t stored = load_le<std::uint32_t>(std::span<const std::byte>(before), tail + 4);
  store_le(block, tail + 4, checksums.exist ? stored ^ difference : 0U);
}

}  // namespace e2qcow::ext2
