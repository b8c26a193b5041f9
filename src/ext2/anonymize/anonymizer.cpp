// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/anonymizer.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/extents.h"
#include "ext2/anonymize/names/directory_block.h"
#include "ext2/anonymize/structures/block_lists.h"
#include "ext2/anonymize/structures/fixed_blocks.h"
#include "ext2/anonymize/structures/quota.h"
#include "ext2/anonymize/structures/xattrs.h"
#include "ext2/structures/checksum.h"
#include "ext2/structures/inode.h"
#include "ext2/structures/inode_table_reader.h"

namespace e2qcow::ext2 {
namespace {

std::vector<BlockRoles::Table> sorted_tables(std::vector<BlockRoles::Table> tables) {
  std::ranges::stable_sort(tables, {}, &BlockRoles::Table::block);
  return tables;
}

// Where journals may begin.
std::vector<std::uint64_t> journal_candidates(const RoleMap& roles) {
  std::vector<std::uint64_t> blocks;
  for (const RoleMap::Run& run : roles.runs())
    if (run.role.block_class == BlockClass::journal) blocks.push_back(run.blocks.first);
  return blocks;
}

}  // namespace

Anonymizer::Anonymizer(const Filesystem& filesystem, const BlockRoles& roles, const Secret& secret,
                       Strictness strictness, unsigned threads)
    : filesystem_(filesystem),
      secret_(secret),
      attributes_(secret.derived("attributes")),
      strict_(strictness, secret, filesystem.superblock),
      checksums_{filesystem.superblock.has_ro_compat(EXT4_FEATURE_RO_COMPAT_METADATA_CSUM),
                 strict_.seed_difference()},
      descriptor_checksums_(strict_, filesystem),
      roles_(roles.runs()),
      tables_(sorted_tables(roles.tables())),
      proofs_(filesystem, roles.inodes_read()),
      journal_(filesystem, strict_, journal_candidates(roles_)),
      versions_(filesystem, journal_),
      names_(filesystem, {roles, roles_, journal_}, secret, threads),
      inode_rules_(inode_rules()) {
  if (strict_.is_strict())
    quota_trees_ = QuotaTrees(filesystem, [this](std::uint64_t block) { return versions_.of_block(block); });
  Tally counted_there;
  journal_.replace_fast_commits(fast_commit_rules(), counted_there);
}

InodeRules Anonymizer::inode_rules() const {
  const bool has_values = filesystem_.superblock.has_incompat(EXT4_FEATURE_INCOMPAT_EA_INODE);
  return {.secret = attributes_,
          .strict = strict_,
          .blocks = filesystem_.geometry.claimed_blocks(),
          .inodes = filesystem_.superblock.raw.s_inodes_count,
          .has_checksums = checksums_.exist,
          .seed = checksum_seed(filesystem_.superblock),
          .has_value_checksums = has_values,
          .anonymize_entries =
              [this](std::uint32_t directory, std::span<std::byte> entries, Tally& tally) {
                names_.with_namer(directory, [&](const DirectoryNamer& namer) {
                  ext2::anonymize_entries(namer, entries, tally);
                });
              },
          .checksums_of_value = [this](std::uint32_t inode) { return checksums_of_value(inode); },
          .checksum_of_zeros = [this](std::uint64_t size) { return checksum_of_zeros(size); }};
}

FastCommitRules Anonymizer::fast_commit_rules() const {
  return {[this](std::uint32_t directory, std::string_view name, Tally& tally) {
            std::string result;
            names_.with_namer(directory, [&](const DirectoryNamer& namer) {
              const std::vector<std::string_view> names{name};
              const auto cells = namer.cells_of(names);
              const auto replacement = namer.replacement(name, cells.empty() ? 0 : cells[0]);
              ++tally.replaced;
              tally.not_placed += replacement.is_placed ? 0 : 1;
              result = replacement.name;
            });
            return result;
          },
          [this](std::uint32_t inode, std::span<std::byte> bytes, Tally& tally) {
            anonymize_inode(inode_rules_, inode, bytes, tally);
          }};
}

// An inode that holds a value has it in place of a time. Source: lib/ext2fs/ext_attr.c
std::vector<ValueChecksum> Anonymizer::checksums_of_value(std::uint32_t inode) const {
  constexpr std::size_t kAccessTime = 8;
  std::vector<ValueChecksum> checksums;
  for (const auto& bytes : versions_.of_inode(inode))
    checksums.push_back(
        {load_le<std::uint32_t>(bytes, kAccessTime), checksum_of_zeros(Inode(bytes).size_low())});
  return checksums;
}

std::uint32_t Anonymizer::checksum_of_zeros(std::uint64_t size) const {
  constexpr std::uint64_t kLargestValue = 1 << 24;
  const std::vector<std::byte> zeros(std::min(size, kLargestValue));
  return crc32c(checksum_seed(filesystem_.superblock) ^ strict_.seed_difference().after(0), zeros);
}

std::optional<BlockClass> Anonymizer::class_of(std::uint64_t block) const {
  const auto role = roles_.find(block);
  return role ? std::optional(role->block_class) : std::nullopt;
}

// The last run may be as long as a file, so whole runs are left out, and journals block by block.
std::vector<Extent> Anonymizer::without_cleared(std::span<const Extent> extents) const {
  std::vector<Extent> kept;
  const auto add = [&](BlockRun blocks) {
    const Extent bytes = filesystem_.geometry.bytes(blocks);
    for (const Extent& extent : from_first_after(extents, bytes.offset)) {
      if (extent.offset >= bytes.end()) break;
      add_joined(kept, common_part(extent, bytes));
    }
  };
  for (const auto& [blocks, role] : roles_.runs()) {
    const bool is_journal = role.block_class == BlockClass::journal;
    if (role.block_class == BlockClass::reserved_inodes || role.block_class == BlockClass::data) continue;
    if (!is_journal) add(blocks);
    for (std::uint64_t block = blocks.first; is_journal && block < blocks.end(); ++block)
      if (journal_.stays(block)) add({block, 1});
  }
  return kept;
}

void Anonymizer::replace(std::uint64_t block, std::span<std::byte> bytes, Tally& tally) const {
  if (is_zero(bytes)) return;
  const auto role = roles_.find(block);
  if (!role) return clear(bytes);
  if (role->block_class != BlockClass::journal) return replace_in_role(*role, block, bytes, tally);
  const auto replace_target = [this](std::uint64_t target, std::span<std::byte> copy, Tally& of_copy) {
    const auto of_target = roles_.find(target);
    if (of_target && of_target->block_class != BlockClass::journal)
      replace_in_role(*of_target, target, copy, of_copy);
    else
      clear(copy);
  };
  journal_.replace(block, bytes, replace_target, tally);
}

void Anonymizer::replace_in_role(RoleMap::Role role, std::uint64_t block, std::span<std::byte> bytes,
                                 Tally& tally) const {
  const std::uint64_t blocks = filesystem_.geometry.claimed_blocks();
  switch (role.block_class) {
    case BlockClass::superblocks:
      return replace_superblock(block, bytes, tally);
    case BlockClass::group_descriptors:
      return replace_descriptors(block, bytes, tally);
    case BlockClass::block_bitmaps:
    case BlockClass::inode_bitmaps:
      return replace_bitmap(role.block_class, block, bytes, tally);
    case BlockClass::inode_tables:
      return replace_inodes(block, bytes, tally);
    case BlockClass::mmp:
      return anonymize_mmp(strict_, checksums_.exist, bytes, tally);
    case BlockClass::extent_trees:
      return anonymize_extent_block(bytes, checksums_, blocks, tally);
    case BlockClass::indirect_blocks:
      return anonymize_pointers(bytes, blocks, tally);
    case BlockClass::directories:
      return replace_directory(role.inode, bytes, tally);
    case BlockClass::xattrs:
      return replace_xattrs(block, bytes, tally);
    case BlockClass::symlinks:
      return replace_link(role.inode, bytes, tally);
    case BlockClass::quota:
      return anonymize_quota(strict_, quota_trees_, block, bytes, tally);
    case BlockClass::orphan_file:
      return anonymize_orphans(bytes, checksums_, filesystem_.superblock.raw.s_inodes_count, tally);
    case BlockClass::journal:
    case BlockClass::reserved_inodes:
    case BlockClass::data:
    case BlockClass::signatures:
      return clear(bytes);
  }
}

// The primary superblock is not at the beginning of its block if that is large.
void Anonymizer::replace_superblock(std::uint64_t block, std::span<std::byte> bytes, Tally& tally) const {
  const std::uint64_t begin = filesystem_.geometry.bytes({block, 1}).offset;
  const std::size_t place = begin < kSuperblockOffset ? kSuperblockOffset - begin : 0;
  if (place + kSuperblockSize > bytes.size()) return clear(bytes);
  clear(bytes.first(place));
  clear(bytes.subspan(place + kSuperblockSize));
  anonymize_superblock({secret_, strict_, names_.hash_seed()}, bytes.subspan(place, kSuperblockSize), tally);
}

void Anonymizer::replace_descriptors(std::uint64_t block, std::span<std::byte> bytes, Tally& tally) const {
  const std::size_t used = filesystem_.geometry.descriptor_bytes_in(block);
  anonymize_descriptors(filesystem_.geometry, used, bytes, tally);
  descriptor_checksums_.patch(bytes.first(used));
}

void Anonymizer::replace_bitmap(BlockClass block_class, std::uint64_t block, std::span<std::byte> bytes,
                                Tally& tally) const {
  const auto group = proofs_.group_of_unproven_bitmap(block);
  anonymize_bitmap(filesystem_, {block_class == BlockClass::inode_bitmaps, group.value_or(0), !group}, bytes,
                   tally);
}

void Anonymizer::replace_inodes(std::uint64_t block, std::span<std::byte> bytes, Tally& tally) const {
  const Geometry& geometry = filesystem_.geometry;
  const auto table = std::ranges::lower_bound(tables_, block, {}, &BlockRoles::Table::block);
  if (table == tables_.end() || table->block != block) return clear(bytes);
  const std::size_t size = geometry.inode_size();
  for (std::size_t i = 0; i < bytes.size() / size; ++i) {
    const auto inode = bytes.subspan(i * size, size);
    const std::uint64_t number = table->first_inode + i;
    if (is_zero(inode)) continue;
    const auto short_number = static_cast<std::uint32_t>(number);
    const bool is_one = proofs_.is_in_proven_table(number)
                            ? is_plausible_inode(inode_rules_, short_number, inode)
                            : is_proven_inode(inode_rules_, short_number, inode);
    if (!is_one) ++tally.not_parsed;
    if (!is_one || proofs_.was_never_used(number) ||
        (proofs_.is_marked_unused(number) && !has_right_checksum(inode_rules_, short_number, inode)))
      clear(inode);
    else
      anonymize_inode(inode_rules_, short_number, inode, tally);
  }
}

void Anonymizer::replace_directory(std::uint32_t inode, std::span<std::byte> bytes, Tally& tally) const {
  names_.with_namer(inode, [&](const DirectoryNamer& namer) {
    anonymize_directory_block(namer, checksums_, bytes, tally);
  });
}

void Anonymizer::replace_xattrs(std::uint64_t block, std::span<std::byte> bytes, Tally& tally) const {
  constexpr std::size_t kHeader = 32;
  const Secret secret = attributes_.derived("attributes in a block", block);
  const auto no_data = [](std::span<std::byte> data, Tally&) { clear(data); };
  anonymize_xattr_block({bytes.subspan(kHeader), kHeader, secret, attributes_, no_data,
                         inode_rules_.checksums_of_value, strict_},
                        checksums_, bytes, tally);
}

void Anonymizer::replace_link(std::uint32_t inode, std::span<std::byte> bytes, Tally& tally) const {
  ++tally.replaced;
  const auto of_inode = read_inode(filesystem_, inode);
  if (of_inode && (Inode(*of_inode).flags() & EXT4_ENCRYPT_FL) != 0)
    return anonymize_encrypted_target(attributes_, bytes);
  const auto end = std::ranges::find(bytes, std::byte{0});
  const auto length = static_cast<std::size_t>(end - bytes.begin());
  anonymize_target(bytes.first(length));
  clear(bytes.subspan(length));
}

}  // namespace e2qcow::ext2
