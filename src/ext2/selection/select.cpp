// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/selection/select.h"

#include <algorithm>
#include <atomic>
#include <mutex>

#include "base/threads.h"
#include "ext2/interpretation/interpretations.h"
#include "ext2/selection/block_bitmaps.h"
#include "ext2/selection/fixed_structures.h"
#include "ext2/selection/inode_walk.h"
#include "ext2/selection/named_inodes.h"
#include "ext2/selection/priority_reads.h"

namespace e2qcow::ext2 {
namespace {

// A thread takes groups in portions with about this much of inode tables, which it requests at once; at least
// as many as a flex group, whose tables are adjacent.
constexpr std::uint64_t kPortionBytes = 16 << 20;
constexpr std::uint64_t kMinPortion = 16;
constexpr std::uint64_t kMaxPortion = 256;

std::uint64_t groups_at_a_time(const Geometry& geometry) {
  const std::uint64_t table_bytes = geometry.inode_table_blocks() * geometry.block_size();
  return std::clamp(kPortionBytes / std::max<std::uint64_t>(1, table_bytes), kMinPortion, kMaxPortion);
}

// Collects what a scan finds.
struct Collection : BlockVisitor {
  // `named`: null if nothing that names inodes has to be read.
  explicit Collection(const SelectOptions& options, NamedInodes* named_inodes = nullptr)
      : named(named_inodes) {
    if (options.remember) owners.emplace();
    if (options.find_roles) roles.emplace();
  }
  void visit(BlockClass block_class, BlockRun run, std::uint64_t inode) override {
    selection.add(block_class, run);
    if (owners) owners->visit(block_class, run, inode);
    if (roles) roles->visit(block_class, run, inode);
    if (named && named->are_in(block_class) && run.count > 0) naming.push_back({run, block_class});
  }
  void visit_table(std::uint64_t block, std::uint64_t first_inode) override {
    if (roles) roles->visit_table(block, first_inode);
  }
  void visit_inode(std::uint64_t number, const Inode& inode) override {
    if (named) named->add_from_inode(inode);
    if (roles) roles->visit_inode(number, inode);
  }
  void visit_inline_directory(std::uint64_t inode, std::span<const std::byte> map) override {
    if (owners) owners->visit_inline_directory(inode, map);
  }
  // Reads, in the order of the disk, what names inodes.
  void read_names(const ReadableFile& file, const Geometry& geometry) {
    constexpr std::size_t kAhead = 64;
    std::ranges::sort(naming, {}, [](const Selection::ClassRun& run) { return run.blocks.first; });
    for (std::size_t i = 0; i < naming.size(); ++i) {
      for (std::size_t next = i; i % kAhead == 0 && next < std::min(i + kAhead, naming.size()); ++next)
        file.prefetch(geometry.bytes(naming[next].blocks));
      named->add_from_blocks(naming[i].block_class, naming[i].blocks);
    }
    naming.clear();
  }
  void add(const Collection& other) {
    selection.add(other.selection);
    tables.add(other.tables);
    if (owners && other.owners) owners->add(*other.owners);
    if (roles && other.roles) roles->add(*other.roles);
  }

  NamedInodes* named;
  Selection selection;
  std::optional<WalkRecord> owners;
  std::optional<BlockRoles> roles;
  Selection tables;  // the inode tables as far as they were read, zeros included; only if it remembers
  std::vector<Selection::ClassRun> naming;
};

// Several threads take groups from one counter, and each has its own collection.
class Scan {
 public:
  Scan(const Filesystem& filesystem, const SelectOptions& options, Findings& findings)
      : filesystem_(filesystem),
        options_(options),
        findings_(findings),
        tables_(filesystem, findings),
        named_(filesystem, tables_.inodes_read()),
        bad_blocks_(options.kind == DumpKind::all ? listed_bad_blocks(filesystem) : std::vector<BlockRun>()),
        result_(options) {}

  // `fast_inodes` replace those in the tables.
  Collection run(std::span<const FastInode> fast_inodes) {
    if (named_.is_needed()) named_.add_from_superblock();
    for (const FastInode& inode : fast_inodes) named_.add(inode.number);
    run_threads(
        options_.threads, [this] { work(); }, [this] { next_group_ = filesystem_.geometry.groups(); });
    for (auto groups = named_.take_groups(); !groups.empty(); groups = named_.take_groups())
      scan_whole(groups);
    for (std::uint64_t group = 0; options_.remember && group < filesystem_.geometry.groups(); ++group)
      result_.tables.add(BlockClass::inode_tables, tables_.of(group));
    if (result_.roles) result_.roles->set_inodes_read(tables_.inodes_read());
    return std::move(result_);
  }

 private:
  Collection new_collection() { return Collection(options_, named_.is_needed() ? &named_ : nullptr); }

  void work() {
    Collection mine = new_collection();
    scan_groups(mine);
    mine.read_names(filesystem_.file, filesystem_.geometry);
    const std::scoped_lock lock(mutex_);
    result_.add(mine);
  }

  void scan_groups(Collection& found) {
    const std::uint64_t groups = filesystem_.geometry.groups();
    const std::uint64_t portion = groups_at_a_time(filesystem_.geometry);
    InodeWalk inodes(filesystem_, options_.kind, found, findings_);
    while (true) {
      const std::uint64_t first = next_group_.fetch_add(portion);
      if (first >= groups) break;
      const std::uint64_t end = std::min(groups, first + portion);
      inodes.walk_groups({first, end - first}, tables_);
      if (options_.kind == DumpKind::all)
        select_blocks_in_use(filesystem_, {first, end - first}, bad_blocks_, found.selection, findings_);
      if (options_.progress) options_.progress->advance(filesystem_.geometry.bytes({0, end - first}).length);
    }
    inodes.finish();
  }

  // The tables of groups with inodes that should not be in use, but are named.
  void scan_whole(std::span<const std::uint64_t> groups) {
    tables_.read_whole(groups);
    Collection found = new_collection();
    InodeWalk inodes(filesystem_, options_.kind, found, findings_);
    for (const std::uint64_t group : groups) inodes.walk_groups({group, 1}, tables_);
    inodes.finish();
    found.read_names(filesystem_.file, filesystem_.geometry);
    result_.add(found);
  }

  const Filesystem& filesystem_;
  const SelectOptions& options_;
  Findings& findings_;
  InodeTables tables_;
  NamedInodes named_;
  const std::vector<BlockRun> bad_blocks_;
  std::atomic<std::uint64_t> next_group_{0};
  std::mutex mutex_;  // guards result_
  Collection result_;
};

void select_interpretation(const Filesystem& filesystem, std::span<const FastInode> fast_inodes,
                           const SelectOptions& options, Collection& found, Findings& findings) {
  Selection& selection = found.selection;
  if (filesystem.superblock.is_journal_device())
    selection.add(BlockClass::journal, filesystem.geometry.clip({0, filesystem.geometry.blocks()}));
  found.add(Scan(filesystem, options, findings).run(fast_inodes));
  BlockVisitor& visitor = found.roles ? static_cast<BlockVisitor&>(found) : selection;
  InodeWalk others(filesystem, options.kind, visitor, findings);
  others.walk_fast_inodes(fast_inodes);
  others.walk_journal_backup();
  others.finish();
  select_fixed_structures(filesystem, selection, findings);
}

struct Classified {
  std::vector<Selection::ClassRun> runs;
  std::optional<WalkRecord> owners;
  Selection tables;
  std::optional<BlockRoles> roles;
};

Classified classify(const Filesystem& filesystem, const SelectOptions& options, Findings& findings) {
  const Geometry& geometry = filesystem.geometry;
  if (geometry.blocks() < geometry.claimed_blocks())
    findings.add(Finding::short_device, 0, geometry.blocks());
  if (!filesystem.superblock.is_primary() && !options.superblock_is_chosen)
    findings.add(Finding::backup_superblock, 0, filesystem.superblock.offset / geometry.block_size());
  if (filesystem.superblock.is_repaired)
    findings.add(Finding::repaired_superblock, 0, kSuperblockOffset / geometry.block_size());
  if (filesystem.superblock.has_unknown_features()) findings.add(Finding::unknown_features, 0, 0);
  if (filesystem.superblock.has_external_journal() && filesystem.superblock.needs_recovery() &&
      filesystem.external_journal == nullptr)
    findings.add(Finding::missing_journal, 0, 0);
  if (options.most_important_first) read_bitmaps_first(filesystem);
  if (options.progress) options.progress->begin("scan", geometry.bytes({0, geometry.groups()}).length);
  Collection found(options);
  select_interpretation(filesystem, {}, options, found, findings);
  const SelectOptions quietly{
      .kind = options.kind, .threads = options.threads, .find_roles = options.find_roles};
  for (const Interpretation& interpretation : other_interpretations(filesystem)) {
    Collection seen(quietly);
    select_interpretation(*interpretation.filesystem, interpretation.fast_inodes, quietly, seen, findings);
    found.selection.add(seen.selection.in_other_blocks(
        {interpretation.filesystem->geometry.block_size(), geometry.block_size()}));
    if (seen.roles && interpretation.filesystem->geometry.block_size() == geometry.block_size())
      found.roles->add(*seen.roles);
  }
  Classified result{std::move(found.selection).sorted(), std::move(found.owners), std::move(found.tables),
                    std::move(found.roles)};
  if (options.most_important_first) read_metadata_first(filesystem.file, result.runs, geometry.block_size());
  return result;
}

// What is stored, and the tables.
std::vector<Extent> looked_at(const Filesystem& filesystem, const Classified& blocks) {
  Selection selection = blocks.tables;
  for (const auto& [run, block_class] : blocks.runs) selection.add(BlockClass::inode_tables, run);
  std::vector<Extent> extents;
  for (const auto& [run, block_class] : std::move(selection).sorted())
    extents.push_back(filesystem.geometry.bytes(run));
  return extents;
}

}  // namespace

std::vector<Selection::ClassRun> classify_blocks(const Filesystem& filesystem, const SelectOptions& options,
                                                 Findings& findings) {
  return classify(filesystem, options, findings).runs;
}

SelectedExtents select_blocks(const Filesystem& filesystem, const SelectOptions& options,
                              Findings& findings) {
  Classified blocks = classify(filesystem, options, findings);
  SelectedExtents selected =
      extents_of(blocks.runs, filesystem.geometry.block_size(), filesystem.file.size());
  if (options.remember) selected.looked_at = looked_at(filesystem, blocks);
  if (blocks.roles) {
    selected.roles = std::move(*blocks.roles);
    for (const auto& [run, block_class] : blocks.runs) selected.roles.visit(block_class, run, 0);
  }
  if (blocks.owners && blocks.owners->is_complete()) selected.owners = std::move(blocks.owners);
  return selected;
}

}  // namespace e2qcow::ext2
