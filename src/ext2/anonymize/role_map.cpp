// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/role_map.h"

#include <algorithm>
#include <array>
#include <set>
#include <tuple>

namespace e2qcow::ext2 {
namespace {

constexpr std::array kOrder{BlockClass::superblocks,     BlockClass::group_descriptors,
                            BlockClass::block_bitmaps,   BlockClass::inode_bitmaps,
                            BlockClass::inode_tables,    BlockClass::mmp,
                            BlockClass::journal,         BlockClass::extent_trees,
                            BlockClass::indirect_blocks, BlockClass::directories,
                            BlockClass::xattrs,          BlockClass::symlinks,
                            BlockClass::quota,           BlockClass::orphan_file,
                            BlockClass::reserved_inodes, BlockClass::data,
                            BlockClass::signatures};
static_assert(kOrder.size() == kBlockClasses);

// What comes first wins; among roles of one class, one whose inode is known.
using Rank = std::tuple<std::size_t, bool, std::uint32_t>;

Rank rank_of(const BlockRoles::Run& run) {
  const auto place = static_cast<std::size_t>(std::ranges::find(kOrder, run.block_class) - kOrder.begin());
  return {place, run.inode == 0, run.inode};
}

struct Event {
  std::uint64_t block;
  bool begins;
  Rank rank;
};

}  // namespace

RoleMap::RoleMap(const std::vector<BlockRoles::Run>& runs) {
  std::vector<Event> events;
  events.reserve(2 * runs.size());
  for (const BlockRoles::Run& run : runs) {
    events.push_back({run.blocks.first, true, rank_of(run)});
    events.push_back({run.blocks.end(), false, rank_of(run)});
  }
  std::ranges::sort(events, {}, &Event::block);
  std::multiset<Rank> active;
  std::uint64_t position = 0;
  for (const Event& event : events) {
    if (!active.empty() && position < event.block) {
      const Rank& first = *active.begin();
      const Role role{kOrder[std::get<0>(first)], std::get<2>(first)};
      const bool joins = !runs_.empty() && runs_.back().blocks.end() == position && runs_.back().role == role;
      if (!joins) runs_.push_back({{position, 0}, role});
      runs_.back().blocks.count += event.block - position;
      if (std::get<0>(*active.rbegin()) != std::get<0>(first)) conflicts_ += event.block - position;
    }
    position = event.block;
    if (event.begins)
      active.insert(event.rank);
    else
      active.erase(active.find(event.rank));
  }
}

std::optional<RoleMap::Role> RoleMap::find(std::uint64_t block) const {
  auto next = std::ranges::upper_bound(runs_, block, {}, [](const Run& run) { return run.blocks.first; });
  if (next == runs_.begin()) return std::nullopt;
  --next;
  return block < next->blocks.end() ? std::optional(next->role) : std::nullopt;
}

}  // namespace e2qcow::ext2
