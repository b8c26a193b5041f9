// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/selection/selection.h"

#include <algorithm>
#include <numeric>

#include "base/bytes.h"
#include "base/extents.h"
#include "base/stop.h"
#include "ext2/selection/class_priorities.h"

namespace e2qcow::ext2 {
namespace {

using ClassRun = Selection::ClassRun;

// Sorts runs and joins those that overlap or touch.
std::vector<BlockRun> joined(std::vector<BlockRun> runs) {
  std::ranges::sort(runs, {}, &BlockRun::first);
  std::vector<BlockRun> result;
  for (const BlockRun& run : runs) {
    if (!result.empty() && run.first <= result.back().end())
      result.back().count = std::max(result.back().end(), run.end()) - result.back().first;
    else
      result.push_back(run);
  }
  return result;
}

// Adds to `taken` the parts of `runs` that are not taken yet. Both ascend without overlaps.
std::vector<ClassRun> with(const std::vector<ClassRun>& taken, std::span<const BlockRun> runs,
                           BlockClass block_class) {
  std::vector<ClassRun> result;
  auto next = taken.begin();
  for (const BlockRun& run : runs) {
    std::uint64_t position = run.first;
    for (; next != taken.end() && next->blocks.first < run.end(); ++next) {
      if (next->blocks.end() > run.end()) break;
      if (position < next->blocks.first)
        result.push_back({{position, next->blocks.first - position}, block_class});
      result.push_back(*next);
      position = std::max(position, next->blocks.end());
    }
    const std::uint64_t end = next == taken.end() ? run.end() : std::min(run.end(), next->blocks.first);
    if (position < end) result.push_back({{position, end - position}, block_class});
  }
  result.insert(result.end(), next, taken.end());
  return result;
}

}  // namespace

void Selection::add(BlockClass block_class, BlockRun run) {
  if (run.count == 0) return;
  if (!runs_.empty() && runs_.back().block_class == block_class && runs_.back().blocks.end() == run.first)
    runs_.back().blocks.count += run.count;
  else
    runs_.push_back({run, block_class});
}

void Selection::add(const Selection& other) {
  runs_.insert(runs_.end(), other.runs_.begin(), other.runs_.end());
}

Selection Selection::in_other_blocks(BlockSizes sizes) const {
  Selection result;
  for (const auto& [blocks, block_class] : runs_) {
    const std::uint64_t first = blocks.first * sizes.from / sizes.to;
    const std::uint64_t end = divide_up(blocks.end() * sizes.from, sizes.to);
    result.add(block_class, {first, end - first});
  }
  return result;
}

std::uint64_t Selection::added_blocks() const {
  std::uint64_t blocks = 0;
  for (const ClassRun& run : runs_) blocks += run.blocks.count;
  return blocks;
}

std::vector<ClassRun> Selection::sorted() && {
  std::array<std::vector<BlockRun>, kBlockClasses> by_class;
  for (const ClassRun& run : runs_) by_class[static_cast<std::size_t>(run.block_class)].push_back(run.blocks);
  runs_.clear();
  std::vector<ClassRun> sorted;
  for (const auto& [block_class, unused] : kClassPriorities) {
    throw_if_stopped();
    auto& runs = by_class[static_cast<std::size_t>(block_class)];
    if (!runs.empty()) sorted = with(sorted, joined(std::move(runs)), block_class);
  }
  return sorted;
}

std::uint64_t SelectedExtents::bytes() const {
  return std::accumulate(class_bytes.begin(), class_bytes.end(), std::uint64_t{0});
}

SelectedExtents extents_of(std::span<const ClassRun> runs, std::uint32_t block_size,
                           std::uint64_t disk_size) {
  SelectedExtents selected;
  for (const ClassRun& run : runs) {
    const Extent blocks{run.blocks.first * block_size, run.blocks.count * block_size};
    const Extent part = common_part(blocks, {0, disk_size});
    if (part.empty()) break;
    add_joined(selected.extents, part);
    selected.class_bytes[static_cast<std::size_t>(run.block_class)] += part.length;
  }
  return selected;
}

}  // namespace e2qcow::ext2
