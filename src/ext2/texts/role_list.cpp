// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/texts/role_list.h"

#include <algorithm>
#include <tuple>

#include "base/extents.h"
#include "ext2/interpretation/interpretations.h"
#include "ext2/selection/inode_walk.h"
#include "ext2/selection/select.h"

namespace e2qcow::ext2 {
namespace {

bool has_owner(BlockClass block_class) {
  return block_class == BlockClass::directories || block_class == BlockClass::symlinks ||
         block_class == BlockClass::xattrs;
}

// Keeps the runs whose owners matter.
class OwnedRuns : public BlockVisitor {
 public:
  explicit OwnedRuns(std::vector<RoleList::Role>& roles) : roles_(roles) {}
  void visit(BlockClass block_class, BlockRun run, std::uint64_t inode) override {
    if (has_owner(block_class) && run.count > 0) roles_.push_back({run, block_class, inode});
  }

 private:
  std::vector<RoleList::Role>& roles_;
};

// Runs of blocks as if they were extents of bytes.
using Blocks = std::vector<Extent>;

// The parts of the run that are in none of these, which ascend without overlaps.
std::vector<BlockRun> rest_of(BlockRun run, const Blocks& others) {
  std::vector<BlockRun> rest;
  for (const Extent& other : from_first_after(others, run.first)) {
    if (other.offset >= run.end()) break;
    if (other.offset > run.first) rest.push_back({run.first, other.offset - run.first});
    const std::uint64_t next = std::min(run.end(), std::max(run.first, other.end()));
    run = {next, run.end() - next};
  }
  if (run.count > 0) rest.push_back(run);
  return rest;
}

}  // namespace

RoleList::RoleList(const Filesystem& filesystem, unsigned threads) : filesystem_(filesystem) {
  add_owned_blocks(filesystem);
  for (const Interpretation& other : other_interpretations(filesystem)) {
    if (other.filesystem->geometry.block_size() != filesystem.geometry.block_size()) continue;
    add_owned_blocks(*other.filesystem);
    Findings known_already;
    OwnedRuns owned(roles_);
    InodeWalk walk(*other.filesystem, DumpKind::metadata, owned, known_already);
    walk.walk_fast_inodes(other.fast_inodes);
    walk.finish();
  }
  sort();  // before there are more
  add_other_blocks(threads);
  add_tables();
  sort();
}

void RoleList::add_owned_blocks(const Filesystem& seen) {
  Findings known_already;
  OwnedRuns owned(roles_);
  const InodeTables tables(seen, known_already);
  InodeWalk walk(seen, DumpKind::metadata, owned, known_already);
  for (std::uint64_t group = 0; group < seen.geometry.groups(); ++group) walk.walk_groups({group, 1}, tables);
  walk.finish();
}

// Everything that a dump of the metadata holds. Blocks of directories, links and attributes of which no inode
// was found are here without an owner.
void RoleList::add_other_blocks(unsigned threads) {
  Findings known_already;
  Blocks owned;
  for (const Role& role : roles_) add_joined(owned, {role.blocks.first, role.blocks.count});
  for (const auto& run : classify_blocks(filesystem_, {.threads = threads}, known_already)) {
    if (run.block_class <= BlockClass::mmp) fixed_.push_back(run.blocks);
    for (const BlockRun& part :
         has_owner(run.block_class) ? rest_of(run.blocks, owned) : std::vector{run.blocks})
      roles_.push_back({part, run.block_class, 0});
  }
}

bool RoleList::is_fixed(std::uint64_t block) const {
  const auto next = std::ranges::upper_bound(fixed_, block, {}, &BlockRun::first);
  return next != fixed_.begin() && block < (next - 1)->end();
}

void RoleList::add_tables() {
  for (std::uint64_t group = 0; group < filesystem_.geometry.groups(); ++group)
    tables_.push_back({filesystem_.descriptors.inode_table(group), group});
  std::ranges::sort(tables_, {}, &Table::first_block);
}

// Of attributes that inodes share, the first counts.
void RoleList::sort() {
  std::ranges::sort(roles_, {}, [](const Role& role) {
    return std::tuple(role.blocks.first, role.block_class, role.owner, role.blocks.count);
  });
  const auto rest = std::unique(roles_.begin(), roles_.end(), [](const Role& a, const Role& b) {
    const bool is_shared = a.block_class == BlockClass::xattrs || a.owner == b.owner;
    return a.blocks == b.blocks && a.block_class == b.block_class && is_shared;
  });
  roles_.erase(rest, roles_.end());
}

std::optional<RoleList::Role> RoleList::of(std::uint64_t block) const {
  auto next = std::ranges::upper_bound(roles_, block, {}, [](const Role& role) { return role.blocks.first; });
  constexpr int kTries = 8;  // runs may overlap
  for (int i = 0; i < kTries && next != roles_.begin(); ++i)
    if ((--next)->blocks.end() > block) return *next;
  return std::nullopt;
}

std::uint64_t RoleList::first_inode_in(std::uint64_t block) const {
  const Geometry& geometry = filesystem_.geometry;
  const auto next = std::ranges::upper_bound(tables_, block, {}, &Table::first_block);
  if (next == tables_.begin()) return 0;
  const Table& table = *(next - 1);
  const std::uint64_t index = block - table.first_block;
  if (index >= geometry.inode_table_blocks()) return 0;
  return table.group * geometry.inodes_per_group() + index * (geometry.block_size() / geometry.inode_size()) +
         1;
}

}  // namespace e2qcow::ext2
