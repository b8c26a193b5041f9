// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/interpretation/interpretations.h"

#include "ext2/interpretation/superblock_copies.h"

namespace e2qcow::ext2 {
namespace {

void add_replayed(const Filesystem& filesystem, std::vector<View>& views) {
  if (views.size() == kMaxViews) return;
  Replay replay = read_journal(filesystem);
  if (replay.is_empty()) return;
  View view;
  view.fast_inodes = std::move(replay.inodes);
  view.replayed = std::make_unique<ReplayedFile>(filesystem.file, filesystem.geometry.block_size(),
                                                 std::move(replay.blocks));
  const auto superblock = read_superblock(*view.replayed, filesystem.superblock.offset);
  view.filesystem = std::make_unique<Filesystem>(*view.replayed, superblock.value_or(filesystem.superblock));
  views.push_back(std::move(view));
}

}  // namespace

std::vector<View> other_views(const Filesystem& filesystem) {
  std::vector<View> views;
  add_replayed(filesystem, views);
  for (const Superblock& copy : differing_copies(filesystem, kMaxViews / 2 - 1)) {
    if (views.size() == kMaxViews) break;
    views.push_back({nullptr, std::make_unique<Filesystem>(filesystem.file, copy), {}});
    add_replayed(*views.back().filesystem, views);
  }
  return views;
}

}  // namespace e2qcow::ext2
