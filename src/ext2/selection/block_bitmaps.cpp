// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/selection/block_bitmaps.h"

#include <algorithm>
#include <bit>

#include "base/bytes.h"
#include "base/stop.h"
#include "ext2/structures/file_blocks.h"
#include "ext2/structures/inode_table_reader.h"

namespace e2qcow::ext2 {
namespace {

// Calls `visit(first, count)` for each run of set bits among the first `bits`; bit 0 of byte 0 comes first.
template <typename Visit>
void for_each_set_run(std::span<const std::byte> bitmap, std::uint64_t bits, Visit visit) {
  const auto word_at = [&](std::uint64_t bit) { return load_le<std::uint64_t>(bitmap, bit / 64 * 8); };
  const auto next = [&](std::uint64_t bit, bool set) {
    while (bit < bits) {
      const std::uint64_t word = set ? word_at(bit) : ~word_at(bit);
      const std::uint64_t rest = word >> (bit % 64);
      if (rest != 0) return std::min(bits, bit + std::countr_zero(rest));
      bit = (bit / 64 + 1) * 64;
    }
    return bits;
  };
  for (std::uint64_t begin = next(0, true); begin < bits;) {
    const std::uint64_t end = next(begin, false);
    visit(begin, end - begin);
    begin = next(end, true);
  }
}

// The parts of the run that are not among `others`, which ascend.
void add_without(Selection& selection, BlockRun run, std::span<const BlockRun> others) {
  std::uint64_t position = run.first;
  for (const BlockRun& other :
       others.subspan(std::ranges::upper_bound(others, run.first, {}, &BlockRun::end) - others.begin())) {
    if (other.first >= run.end()) break;
    if (other.first > position) selection.add(BlockClass::data, {position, other.first - position});
    position = std::max(position, other.end());
  }
  if (position < run.end()) selection.add(BlockClass::data, {position, run.end() - position});
}

}  // namespace

std::vector<BlockRun> listed_bad_blocks(const Filesystem& filesystem) {
  const auto bytes = read_inode(filesystem, EXT2_BAD_INO);
  if (!bytes) return {};
  const Inode inode(*bytes);
  auto runs = blocks_of_file(filesystem, inode.map(), inode.uses_extents(), filesystem.geometry.blocks());
  std::erase_if(runs, [](BlockRun run) { return run.first == 0; });
  std::ranges::sort(runs, {}, &BlockRun::first);
  std::vector<BlockRun> joined;
  for (const BlockRun& run : runs)
    if (joined.empty() || joined.back().end() < run.first)
      joined.push_back(run);
    else
      joined.back().count = std::max(joined.back().end(), run.end()) - joined.back().first;
  return joined;
}

void select_blocks_in_use(const Filesystem& filesystem, BlockRun groups, std::span<const BlockRun> bad_blocks,
                          Selection& selection, Findings& findings) {
  const Geometry& geometry = filesystem.geometry;
  // The log of an external journal, which has the current bitmaps, is not here.
  const bool is_stale = filesystem.superblock.needs_recovery() &&
                        filesystem.superblock.has_external_journal() &&
                        filesystem.external_journal == nullptr;
  const auto select = [&](BlockRun run) { add_without(selection, run, bad_blocks); };
  std::vector<std::byte> bitmap(geometry.block_size());
  for (std::uint64_t group = groups.first; group < groups.end(); ++group) {
    throw_if_stopped();
    const BlockRun blocks = geometry.group(group);
    if (blocks.count == 0) continue;  // past the end of the device
    if (is_stale) {
      select(blocks);
      continue;
    }
    const bool proven = filesystem.descriptors.is_proven(group);
    if (proven && filesystem.descriptors.has_flag(group, EXT2_BG_BLOCK_UNINIT))
      continue;  // it holds only metadata
    const std::uint64_t place = filesystem.descriptors.block_bitmap(group);
    const Extent bytes = geometry.bytes(geometry.clip({place, 1}));
    const bool exists = place != 0 && !bytes.empty();
    if (exists) filesystem.file.read(bytes.offset, bitmap);
    if (!exists || filesystem.file.is_lost(bytes) ||
        !filesystem.descriptors.is_bitmap_plausible(group, bitmap)) {
      findings.add(Finding::bad_block_bitmap, 0, place);
      select(blocks);
      continue;
    }
    const std::uint64_t clusters = divide_up(blocks.count, geometry.cluster_blocks());
    for_each_set_run(bitmap, std::min<std::uint64_t>(clusters, bitmap.size() * 8),
                     [&](std::uint64_t first, std::uint64_t count) {
                       const BlockRun run{blocks.first + first * geometry.cluster_blocks(),
                                          count * geometry.cluster_blocks()};
                       select(geometry.clip(run));
                     });
  }
}

}  // namespace e2qcow::ext2
