// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/texts/filesystem_texts.h"

#include <algorithm>
#include <unordered_set>
#include <vector>

#include "base/bytes.h"
#include "base/stop.h"
#include "ext2/journal/journal_log.h"
#include "ext2/structures/extent_node.h"
#include "ext2/structures/inode.h"
#include "ext2/texts/directory_texts.h"
#include "ext2/texts/fast_commit_texts.h"
#include "ext2/texts/fixed_texts.h"
#include "ext2/texts/inode_texts.h"
#include "ext2/texts/journal_targets.h"
#include "ext2/texts/role_list.h"
#include "ext2/texts/superblock_texts.h"
#include "ext2/texts/xattr_texts.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::uint64_t kTextReadBytes = 1 << 20;

class Texts {
 public:
  Texts(const Filesystem& filesystem, unsigned threads, const TextVisitor& visit)
      : filesystem_(filesystem),
        visit_(visit),
        roles_(filesystem, threads),
        targets_(journal_targets(filesystem)) {}

  void visit() {
    for (const auto& role : roles_.all()) visit_role(role);
  }

 private:
  std::uint64_t block_size() const { return filesystem_.geometry.block_size(); }

  void visit_role(const RoleList::Role& role) {
    const BlockRun run = filesystem_.geometry.clip(role.blocks);
    const std::uint64_t at_once = std::max<std::uint64_t>(1, kTextReadBytes / block_size());
    for (std::uint64_t done = 0; done < run.count; done += at_once) {
      throw_if_stopped();
      const BlockRun part{run.first + done, std::min(at_once, run.count - done)};
      buffer_.resize(part.count * block_size());
      filesystem_.file.read(filesystem_.geometry.bytes(part).offset, buffer_);
      for (std::uint64_t i = 0; i < part.count; ++i) visit_block(role, part.first + i, i);
    }
  }

  void visit_block(const RoleList::Role& role, std::uint64_t block, std::uint64_t index) {
    const TextPlace place{std::span<const std::byte>(buffer_).subspan(index * block_size(), block_size()),
                          block * block_size(), role.owner};
    const bool is_another = role.block_class > BlockClass::mmp && roles_.is_fixed(block);
    if (is_zero(place.bytes) || is_another) return;
    if (role.block_class == BlockClass::journal)
      visit_journal_block(place, block);
    else
      visit_as(role, place, block);
  }

  // `block`: the one whose version this is.
  void visit_as(const RoleList::Role& role, const TextPlace& place, std::uint64_t block) {
    switch (role.block_class) {
      case BlockClass::superblocks:
        return visit_superblock_block(place, block);
      case BlockClass::inode_tables:
        return visit_inodes(place, block);
      case BlockClass::mmp:
        return visit_mmp(place, visit_);
      case BlockClass::directories:
        return visit_directory(place, hashes_of(role.owner), visit_);
      case BlockClass::symlinks:
        return visit_link(place, role.owner);
      case BlockClass::xattrs:
        return visit_xattr_block(place, visit_);
      case BlockClass::extent_trees:
        return visit_extent_node(place);
      case BlockClass::indirect_blocks:
        return visit_pointers(place, filesystem_.geometry.claimed_blocks(), visit_);
      case BlockClass::group_descriptors:
        return visit_descriptors(filesystem_.geometry, place, block, visit_);
      case BlockClass::quota:
        return visit_quota(place, visit_);
      case BlockClass::orphan_file:
        return visit_orphans(place, filesystem_.superblock.raw.s_inodes_count, visit_);
      default:  // numbers only
        return;
    }
  }

  void visit_link(const TextPlace& place, std::uint64_t inode) {
    constexpr std::size_t kLengthField = 2;
    if (!encrypted_.contains(inode)) return visit_field(place, TextKind::link_target, visit_);
    visit_unused(place.part(kLengthField, place.bytes.size() - kLengthField), TextKind::encrypted_target,
                 visit_);
  }

  // The boot block, or a copy of the superblock with what follows it; block 0 has both if blocks are large.
  void visit_superblock_block(const TextPlace& place, std::uint64_t block) {
    const bool has_both = block == 0 && block_size() > kSuperblockOffset;
    const bool is_boot_block = block == 0 && !has_both;
    if (has_both) visit_unused(place.part(0, kSuperblockOffset), TextKind::slack, visit_);
    const TextPlace copy = has_both ? place.part(kSuperblockOffset, block_size() - kSuperblockOffset) : place;
    if (!is_boot_block && looks_like_superblock(copy.bytes))
      visit_superblock(copy, visit_);
    else
      visit_unused(copy, TextKind::slack, visit_);
  }

  void visit_inodes(const TextPlace& place, std::uint64_t block) {
    const std::uint64_t first = roles_.first_inode_in(block);
    if (first != 0) visit_inode_block(filesystem_, place, first, visit_);
    remember_encrypted(place, first);
  }

  void remember_encrypted(const TextPlace& place, std::uint64_t first) {
    constexpr std::uint32_t kBoth = EXT4_ENCRYPT_FL | EXT4_CASEFOLD_FL;
    const std::size_t size = filesystem_.geometry.inode_size();
    for (std::size_t i = 0; i < place.bytes.size() / size; ++i) {
      const Inode inode(place.bytes.subspan(i * size, size));
      if ((inode.flags() & kBoth) == kBoth) hashed_.insert(first + i);
      if ((inode.flags() & EXT4_ENCRYPT_FL) != 0 && inode.is_symlink()) encrypted_.insert(first + i);
    }
  }

  EntryHashes hashes_of(std::uint64_t directory) const {
    return hashed_.contains(directory) ? EntryHashes::after_names : EntryHashes::none;
  }

  // The entries past those in use, and what follows them. The last four bytes may be a checksum.
  void visit_extent_node(const TextPlace& place) {
    const ExtentHeader header(place.bytes);
    const std::size_t used = (header.entries + std::size_t{1}) * ExtentHeader::kEntrySize;
    const std::size_t end = (header.max_entries + std::size_t{1}) * ExtentHeader::kEntrySize;
    if (header.magic != EXT3_EXT_MAGIC || used > end || end > place.bytes.size()) return;
    visit_unused(place.part(used, end - used), TextKind::slack, visit_);
  }

  void visit_journal_block(const TextPlace& place, std::uint64_t block) {
    if (load_be<std::uint32_t>(place.bytes, 0) == JournalLog::kMagic) return;
    const auto target = targets_.find(block);
    if (target == targets_.end()) return visit_unknown(place);
    const auto role = roles_.of(target->second);
    if (!role || role->block_class == BlockClass::journal) return visit_unknown(place);
    visit_as(*role, {place.bytes, place.offset, role->owner}, target->second);
  }

  void visit_unknown(const TextPlace& place) {
    const bool is_first_block = place.bytes.size() > kSuperblockOffset &&
                                looks_like_superblock(place.bytes.subspan(kSuperblockOffset));
    if (is_first_block || looks_like_superblock(place.bytes))
      visit_superblock_block(place, is_first_block ? 0 : 1);
    else if (looks_like_xattr_block(place.bytes))
      visit_xattr_block(place, visit_);
    else if (looks_like_directory(place.bytes))
      visit_directory(place, EntryHashes::none, visit_);
    else if (looks_like_fast_commits(place.bytes))
      visit_fast_commits(place, visit_);
    else if (ExtentHeader(place.bytes).makes_sense(place.bytes.size()))
      visit_extent_node(place);
    else if (looks_like_inode_block(place.bytes, filesystem_.geometry.inode_size()))
      visit_inodes_of_any_number(place);
    else
      visit_unused(place, TextKind::journal_text, visit_);
  }

  void visit_inodes_of_any_number(const TextPlace& place) {
    const std::size_t size = filesystem_.geometry.inode_size();
    for (std::size_t i = 0; i < place.bytes.size() / size; ++i)
      visit_inode_texts(place.part(i * size, size), visit_);
  }

  const Filesystem& filesystem_;
  const TextVisitor& visit_;
  RoleList roles_;
  JournalTargets targets_;
  std::unordered_set<std::uint64_t> hashed_;     // directories
  std::unordered_set<std::uint64_t> encrypted_;  // links
  std::vector<std::byte> buffer_;
};

}  // namespace

void visit_texts(const Filesystem& filesystem, unsigned threads, const TextVisitor& visit) {
  Texts(filesystem, threads, visit).visit();
}

}  // namespace e2qcow::ext2
