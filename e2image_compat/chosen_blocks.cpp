// SPDX-License-Identifier: GPL-2.0-or-later
#include "e2image_compat/chosen_blocks.h"

#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "base/extents.h"
#include "ext2/selection/select.h"

namespace e2qcow::compat {
namespace {

using ClassRun = ext2::Selection::ClassRun;

std::uint64_t blocks_of(const std::vector<ClassRun>& runs) {
  std::uint64_t count = 0;
  for (const ClassRun& run : runs) count += run.blocks.count;
  return count;
}

ext2::Selection selection_of(const std::vector<ClassRun>& runs) {
  ext2::Selection selection;
  for (const ClassRun& run : runs) selection.add(run.block_class, run.blocks);
  return selection;
}

// Its block maps have no unit smaller than a cluster.
std::vector<ClassRun> whole_clusters(std::vector<ClassRun> runs, const ext2::Geometry& geometry) {
  const std::uint64_t cluster = geometry.cluster_blocks();
  if (cluster == 1) return runs;
  for (auto& [blocks, unused] : runs) {
    const std::uint64_t first = round_down(blocks.first, cluster);
    blocks = geometry.clip({first, round_up(blocks.end(), cluster) - first});
  }
  return selection_of(runs).sorted();
}

// The blocks that e2image leaves out of copies of everything.
std::vector<ClassRun> with_backups(const std::vector<ClassRun>& runs, const ext2::Geometry& geometry) {
  ext2::Selection selection = selection_of(runs);
  selection.add(BlockClass::superblocks, geometry.clip({0, geometry.superblock_block(0) + 1}));
  for (std::uint64_t group = 0; group < geometry.groups(); ++group) {
    if (geometry.has_superblock(group))
      selection.add(BlockClass::superblocks, geometry.clip({geometry.superblock_block(group), 1}));
    selection.add(BlockClass::group_descriptors, geometry.descriptors_in(group));
  }
  return std::move(selection).sorted();
}

std::optional<ChosenBlocks> choose_as_e2image(const ext2::Filesystem& filesystem,
                                              const WalkOptions& options) {
  if (!looks_healthy(filesystem, options.kind)) return std::nullopt;
  ext2::Selection selection;
  ext2::Findings findings;
  E2imageWalk walk(filesystem, options, selection, findings);
  if (!walk.run()) return std::nullopt;
  ChosenBlocks chosen;
  chosen.marks = selection.added_blocks();
  chosen.runs = std::move(selection).sorted();
  if (walk.names_unused_inodes(chosen.runs)) return std::nullopt;
  chosen.runs = whole_clusters(std::move(chosen.runs), filesystem.geometry);
  chosen.announced = chosen.marks;
  if (options.kind == DumpKind::metadata) return chosen;
  const std::uint64_t without_backups = chosen.blocks();
  chosen.runs = with_backups(chosen.runs, filesystem.geometry);
  chosen.announced += chosen.blocks() - without_backups;
  return chosen;
}

}  // namespace

std::uint64_t ChosenBlocks::blocks() const {
  return blocks_of(runs);
}

bool ChosenBlocks::contains(std::uint64_t block) const {
  const auto next =
      std::ranges::upper_bound(runs, block, {}, [](const auto& run) { return run.blocks.end(); });
  return next != runs.end() && next->blocks.first <= block;
}

std::vector<Extent> ChosenBlocks::extents(std::uint32_t block_size) const {
  std::vector<Extent> extents;
  for (const auto& [blocks, unused] : runs)
    add_joined(extents, {blocks.first * block_size, blocks.count * block_size});
  return extents;
}

ChosenBlocks choose_blocks(const ext2::Filesystem& filesystem, const WalkOptions& options, unsigned threads,
                           ext2::Findings& findings) {
  if (auto chosen = choose_as_e2image(filesystem, options)) return std::move(*chosen);
  ChosenBlocks chosen;
  chosen.runs = ext2::classify_blocks(filesystem, {.kind = options.kind, .threads = threads}, findings);
  chosen.marks = chosen.announced = chosen.blocks();
  return chosen;
}

}  // namespace e2qcow::compat
