// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/names/affected_files.h"

#include <algorithm>
#include <map>

#include "base/extents.h"
#include "ext2/names/path_finder.h"
#include "ext2/selection/inode_walk.h"

namespace e2qcow::ext2 {
namespace {

using AffectedByInode = std::map<std::uint64_t, AffectedFile>;

// Calls `visit(Extent)` for each part of the range that is lost.
template <typename Visit>
void for_each_lost(std::span<const Extent> losses, Extent range, Visit visit) {
  for (const Extent& loss : from_first_after(losses, range.offset)) {
    if (!overlaps(loss, range)) return;
    visit(common_part(loss, range));
  }
}

// Finds the owners of what is lost, and passes the directories on.
class OwnerFinder : public BlockVisitor {
 public:
  OwnerFinder(const Filesystem& filesystem, std::span<const Extent> losses, PathFinder& paths)
      : filesystem_(filesystem), losses_(losses), paths_(paths) {}

  void visit(BlockClass block_class, BlockRun run, std::uint64_t inode) override {
    paths_.visit(block_class, run, inode);
    if (inode == 0) return;
    for_each_lost(losses_, filesystem_.geometry.bytes(run), [&](Extent lost) { add(inode, lost); });
  }
  void visit_inline_directory(std::uint64_t inode, std::span<const std::byte> map) override {
    paths_.visit_inline_directory(inode, map);
  }

  AffectedByInode found() && {
    for (auto& [inode, file] : found_) finish(file);
    return std::move(found_);
  }

 private:
  void add(std::uint64_t inode, Extent lost) {
    AffectedFile& file = found_[inode];
    file.inode = inode;
    file.lost.push_back(lost);
  }

  // A block may have been found in two ways.
  static void finish(AffectedFile& file) {
    file.lost = sorted_and_joined(std::move(file.lost));
    file.lost_bytes = total_length(file.lost);
    if (file.lost.size() > AffectedFile::kMaxAreas) file.lost.resize(AffectedFile::kMaxAreas);
  }

  const Filesystem& filesystem_;
  std::span<const Extent> losses_;
  PathFinder& paths_;
  AffectedByInode found_;
};

// The inodes in lost parts of the tables. Most of them may never have been used.
std::vector<std::pair<std::uint64_t, Extent>> lost_inodes(const Filesystem& filesystem,
                                                          const InodeTables& tables,
                                                          std::span<const Extent> losses) {
  const Geometry& geometry = filesystem.geometry;
  const std::uint64_t size = geometry.inode_size();
  std::vector<std::pair<std::uint64_t, Extent>> inodes;
  for (std::uint64_t group = 0; group < geometry.groups(); ++group) {
    const BlockRun first_block = geometry.clip({filesystem.descriptors.inode_table(group), 1});
    const std::uint64_t table = geometry.bytes(first_block).offset;
    for_each_lost(losses, geometry.bytes(tables.of(group)), [&](Extent lost) {
      for (std::uint64_t offset = lost.offset / size * size; offset < lost.end(); offset += size) {
        const std::uint64_t index = (offset - table) / size;
        const std::uint64_t inode = group * geometry.inodes_per_group() + index + 1;
        const bool is_known = !inodes.empty() && inodes.back().first == inode;  // of another part of it
        if (index < geometry.inodes_per_group() && !is_known)
          inodes.emplace_back(inode, Extent{offset, size});
      }
    });
  }
  return inodes;
}

// To what may have been found of its contents.
void add_inode(AffectedFile& file, std::uint64_t inode, Extent place) {
  file.inode = inode;
  file.inode_is_lost = true;
  file.lost_bytes += place.length;
  file.lost.push_back(place);
  std::ranges::sort(file.lost, {}, &Extent::offset);
}

void walk_again(const Filesystem& filesystem, const InodeTables& tables, BlockVisitor& visitor) {
  Findings known_already;
  InodeWalk walk(filesystem, DumpKind::all, visitor, known_already);
  for (std::uint64_t group = 0; group < filesystem.geometry.groups(); ++group)
    walk.walk_groups({group, 1}, tables);
  walk.finish();
}

}  // namespace

FileNames find_file_names(const Filesystem& filesystem, const WalkRecord* owners,
                          std::span<const Extent> losses,
                          const std::unordered_set<std::uint64_t>& other_inodes) {
  Findings known_already;
  const InodeTables tables(filesystem, known_already);
  PathFinder paths(filesystem);
  OwnerFinder finder(filesystem, losses, paths);
  if (owners != nullptr)
    owners->replay(finder);
  else
    walk_again(filesystem, tables, finder);

  AffectedByInode hit = std::move(finder).found();
  std::unordered_set<std::uint64_t> wanted = other_inodes;
  for (const auto& [inode, file] : hit) wanted.insert(inode);
  const auto lost = lost_inodes(filesystem, tables, losses);
  for (const auto& [inode, place] : lost) wanted.insert(inode);
  paths.read_names(std::move(wanted));

  for (const auto& [inode, place] : lost)
    if (paths.has_name(inode)) add_inode(hit[inode], inode, place);
  FileNames names;
  for (auto& [inode, file] : hit) {
    file.path = paths.path_of(inode);
    names.hit.push_back(std::move(file));
  }
  for (const std::uint64_t inode : paths.named())
    if (!hit.contains(inode) && other_inodes.contains(inode))
      names.others.emplace_back(inode, paths.path_of(inode));
  return names;
}

}  // namespace e2qcow::ext2
