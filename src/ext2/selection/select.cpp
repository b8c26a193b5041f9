// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/selection/select.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "base/threads.h"
#include "ext2/interpretation/interpretations.h"
#include "ext2/selection/block_bitmaps.h"
#include "ext2/selection/fixed_structures.h"
#include "ext2/selection/inode_walk.h"
#include "ext2/selection/priority_reads.h"

namespace e2qcow::ext2 {
namespace {

// Groups are handed out in portions of about this much of inode tables, which are asked for at once; at least
// those of a flex group, which lie together.
constexpr std::uint64_t kPortionBytes = 16 << 20;
constexpr std::uint64_t kMinPortion = 16;
constexpr std::uint64_t kMaxPortion = 256;

std::uint64_t groups_at_a_time(const Geometry& geometry) {
  const std::uint64_t table_bytes = geometry.inode_table_blocks() * geometry.block_size();
  return std::clamp(kPortionBytes / std::max<std::uint64_t>(1, table_bytes), kMinPortion, kMaxPortion);
}

// Several threads take groups from one counter; each collects on its own.
class Scan {
 public:
  Scan(const Filesystem& filesystem, const SelectOptions& options, Findings& findings)
      : filesystem_(filesystem), options_(options), findings_(findings), tables_(filesystem, findings) {}

  Selection run() {
    {
      std::vector<std::jthread> others;
      start_threads(others, std::max(1U, options_.threads) - 1, [this] { work(); });
      work();
    }
    if (error_) std::rethrow_exception(error_);
    return std::move(result_);
  }

 private:
  void work() noexcept {
    try {
      Selection mine;
      scan_groups(mine);
      const std::scoped_lock lock(mutex_);
      result_.add(mine);
    } catch (...) {
      const std::scoped_lock lock(mutex_);
      if (!error_) error_ = std::current_exception();
      next_group_ = filesystem_.geometry.groups();
    }
  }

  void scan_groups(Selection& selection) {
    const std::uint64_t groups = filesystem_.geometry.groups();
    const std::uint64_t portion = groups_at_a_time(filesystem_.geometry);
    InodeWalk inodes(filesystem_, options_.kind, selection, findings_);
    while (true) {
      const std::uint64_t first = next_group_.fetch_add(portion);
      if (first >= groups) break;
      const std::uint64_t end = std::min(groups, first + portion);
      inodes.walk_groups({first, end - first}, tables_);
      if (options_.kind == DumpKind::all)
        select_blocks_in_use(filesystem_, {first, end - first}, selection, findings_);
      if (options_.progress) options_.progress->advance(filesystem_.geometry.bytes({0, end - first}).length);
    }
    inodes.finish();
  }

  const Filesystem& filesystem_;
  const SelectOptions& options_;
  Findings& findings_;
  const InodeTables tables_;
  std::atomic<std::uint64_t> next_group_{0};
  std::mutex mutex_;  // guards what follows
  Selection result_;
  std::exception_ptr error_;
};

void select_interpretation(const Filesystem& filesystem, std::span<const FastInode> fast_inodes,
                           const SelectOptions& options, Selection& selection, Findings& findings) {
  if (filesystem.superblock.is_journal_device())
    selection.add(BlockClass::journal, filesystem.geometry.clip({0, filesystem.geometry.blocks()}));
  selection.add(Scan(filesystem, options, findings).run());
  InodeWalk others(filesystem, options.kind, selection, findings);
  others.walk_fast_inodes(fast_inodes);
  others.walk_journal_backup();
  others.finish();
  select_fixed_structures(filesystem, selection, findings);
}

}  // namespace

std::vector<Selection::ClassRun> classify_blocks(const Filesystem& filesystem, const SelectOptions& options,
                                                 Findings& findings) {
  const Geometry& geometry = filesystem.geometry;
  if (geometry.blocks() < geometry.claimed_blocks())
    findings.add(Finding::short_device, 0, geometry.blocks());
  if (!filesystem.superblock.is_primary() && !options.superblock_is_chosen)
    findings.add(Finding::backup_superblock, 0, filesystem.superblock.offset / geometry.block_size());
  if (filesystem.superblock.is_repaired)
    findings.add(Finding::repaired_superblock, 0, kSuperblockOffset / geometry.block_size());
  if (options.most_important_first) read_bitmaps_first(filesystem);
  if (options.progress) options.progress->begin("scan", geometry.bytes({0, geometry.groups()}).length);
  Selection selection;
  select_interpretation(filesystem, {}, options, selection, findings);
  const SelectOptions quietly{.kind = options.kind, .threads = options.threads};
  for (const Interpretation& interpretation : other_interpretations(filesystem)) {
    Selection seen;
    select_interpretation(*interpretation.filesystem, interpretation.fast_inodes, quietly, seen, findings);
    selection.add(
        seen.in_other_blocks({interpretation.filesystem->geometry.block_size(), geometry.block_size()}));
  }
  auto runs = std::move(selection).sorted();
  if (options.most_important_first) read_metadata_first(filesystem.file, runs, geometry.block_size());
  return runs;
}

std::vector<Extent> blocks_looked_at(const Filesystem& filesystem, const SelectOptions& options,
                                     Findings& findings) {
  Selection selection;
  for (const auto& [blocks, block_class] : classify_blocks(filesystem, options, findings))
    selection.add(BlockClass::data, blocks);
  const InodeTables tables(filesystem, findings);
  for (std::uint64_t group = 0; group < filesystem.geometry.groups(); ++group)
    selection.add(BlockClass::data, tables.of(group));
  std::vector<Extent> extents;
  for (const auto& [blocks, block_class] : std::move(selection).sorted())
    extents.push_back(filesystem.geometry.bytes(blocks));
  return extents;
}

SelectedExtents select_blocks(const Filesystem& filesystem, const SelectOptions& options,
                              Findings& findings) {
  return extents_of(classify_blocks(filesystem, options, findings), filesystem.file,
                    filesystem.geometry.block_size());
}

}  // namespace e2qcow::ext2
