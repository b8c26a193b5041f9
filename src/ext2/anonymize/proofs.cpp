// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/proofs.h"

#include <memory>
#include <utility>

namespace e2qcow::ext2 {
namespace {

// The file system by the first backup of its superblock, with the descriptors behind that.
std::unique_ptr<Filesystem> first_backup(const Filesystem& filesystem) {
  const Geometry& geometry = filesystem.geometry;
  for (std::uint64_t group = 1; group < geometry.groups(); ++group) {
    if (!geometry.has_superblock(group) || !geometry.has_first_descriptors(group)) continue;
    const BlockRun block{geometry.superblock_block(group), 1};
    if (geometry.clip(block).count == 0) return nullptr;
    const auto superblock = read_superblock(filesystem.file, geometry.bytes(block).offset);
    if (superblock && superblock->offset != filesystem.superblock.offset)
      return std::make_unique<Filesystem>(filesystem.file, *superblock);
  }
  return nullptr;
}

}  // namespace

Proofs::Proofs(const Filesystem& filesystem, std::vector<std::uint32_t> inodes_read)
    : filesystem_(filesystem), inodes_read_(std::move(inodes_read)) {
  const auto backup = first_backup(filesystem);
  for (std::uint64_t group = 0; group < filesystem.geometry.groups(); ++group) {
    if (filesystem.descriptors.is_proven(group)) continue;
    all_are_proven_ = false;
    const bool has_backup = backup && group < backup->geometry.groups();
    add_unproven(group, has_backup ? backup.get() : nullptr);
  }
}

void Proofs::add_unproven(std::uint64_t group, const Filesystem* backup) {
  const GroupDescriptors& descriptors = filesystem_.descriptors;
  if (backup != nullptr && backup->descriptors.inode_table(group) != descriptors.inode_table(group))
    tables_.insert(group);
  const std::uint64_t blocks = descriptors.block_bitmap(group);
  const std::uint64_t inodes = descriptors.inode_bitmap(group);
  if (backup == nullptr || backup->descriptors.block_bitmap(group) != blocks) bitmaps_.emplace(blocks, group);
  if (backup == nullptr || backup->descriptors.inode_bitmap(group) != inodes) bitmaps_.emplace(inodes, group);
}

std::optional<std::uint64_t> Proofs::group_of_unproven_bitmap(std::uint64_t block) const {
  const auto found = bitmaps_.find(block);
  return found == bitmaps_.end() ? std::nullopt : std::optional(found->second);
}

bool Proofs::is_in_proven_table(std::uint64_t inode) const {
  const auto place = filesystem_.geometry.place_of_inode(inode);
  return place && !tables_.contains(place->group);
}

bool Proofs::is_marked_unused(std::uint64_t inode) const {
  const auto place = filesystem_.geometry.place_of_inode(inode);
  return place && place->group < inodes_read_.size() && place->index >= inodes_read_[place->group];
}

}  // namespace e2qcow::ext2
