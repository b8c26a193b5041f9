// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <vector>

#include "ext2/anonymize/directory_names.h"
#include "ext2/anonymize/journal/journal_blocks.h"
#include "ext2/anonymize/proofs.h"
#include "ext2/anonymize/replacement/strict_rules.h"
#include "ext2/anonymize/role_map.h"
#include "ext2/anonymize/structures/descriptor_checksums.h"
#include "ext2/anonymize/structures/inodes.h"
#include "ext2/anonymize/structures/quota_tree.h"
#include "ext2/anonymize/versions.h"
#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// Replaces what is private in the blocks of a file system, each according to its role: only what is known to
// be structure stays, and what is not understood becomes zeros. Made once, by reading directories and the
// journal; then any block can be replaced, in any order, by several threads at once.
class Anonymizer {
 public:
  // `filesystem` must outlive it. `roles` are those of a dump of metadata.
  Anonymizer(const Filesystem& filesystem, const BlockRoles& roles, const Secret& secret,
             Strictness strictness, unsigned threads);

  // Turns a block of the device into what goes into the image.
  void replace(std::uint64_t block, std::span<std::byte> bytes, Tally& tally) const;
  std::optional<BlockClass> class_of(std::uint64_t block) const;

  // The parts of the extents, which ascend, in which anything may be left.
  std::vector<Extent> without_cleared(std::span<const Extent> extents) const;

  // Blocks with several uses, of which one was chosen.
  std::uint64_t conflicts() const { return roles_.conflicts(); }
  const StrictRules& strict_rules() const { return strict_; }
  const DirectoryNames& names() const { return names_; }

 private:
  void replace_in_role(RoleMap::Role role, std::uint64_t block, std::span<std::byte> bytes,
                       Tally& tally) const;
  void replace_superblock(std::uint64_t block, std::span<std::byte> bytes, Tally& tally) const;
  void replace_descriptors(std::uint64_t block, std::span<std::byte> bytes, Tally& tally) const;
  void replace_bitmap(BlockClass block_class, std::uint64_t block, std::span<std::byte> bytes,
                      Tally& tally) const;
  void replace_inodes(std::uint64_t block, std::span<std::byte> bytes, Tally& tally) const;
  void replace_directory(std::uint32_t inode, std::span<std::byte> bytes, Tally& tally) const;
  void replace_xattrs(std::uint64_t block, std::span<std::byte> bytes, Tally& tally) const;
  void replace_link(std::uint32_t inode, std::span<std::byte> bytes, Tally& tally) const;
  InodeRules inode_rules() const;
  FastCommitRules fast_commit_rules() const;
  std::vector<ValueChecksum> checksums_of_value(std::uint32_t inode) const;
  std::uint32_t checksum_of_zeros(std::uint64_t size) const;

  const Filesystem& filesystem_;
  const Secret secret_;
  const Secret attributes_;
  const StrictRules strict_;
  const Checksums checksums_;
  const DescriptorChecksums descriptor_checksums_;
  RoleMap roles_;
  std::vector<BlockRoles::Table> tables_;  // ascending
  Proofs proofs_;
  JournalBlocks journal_;
  Versions versions_;
  DirectoryNames names_;
  QuotaTrees quota_trees_;
  InodeRules inode_rules_;
};

}  // namespace e2qcow::ext2
