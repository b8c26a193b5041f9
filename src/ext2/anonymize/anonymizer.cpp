// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/anonymizer.h"

#include <algorithm>
#include <atomic>
#include <mutex>

#include "base/bytes.h"
#include "base/extents.h"
#include "base/threads.h"
#include "ext2/anonymize/block_lists.h"
#include "ext2/anonymize/directory_block.h"
#include "ext2/anonymize/fixed_blocks.h"
#include "ext2/anonymize/quota.h"
#include "ext2/anonymize/xattrs.h"
#include "ext2/structures/checksum.h"
#include "ext2/structures/directory.h"
#include "ext2/structures/inode.h"
#include "ext2/structures/inode_table_reader.h"
#include "ext2/structures/xattr.h"

namespace e2qcow::ext2 {
namespace {

std::array<std::uint32_t, 4> hash_seed_of(const Superblock& superblock) {
  std::array<std::uint32_t, 4> seed;
  std::ranges::copy(superblock.raw.s_hash_seed, seed.begin());
  return seed;
}

const ext2fs_nls_table* encoding_of(const Superblock& superblock) {
  return superblock.has_incompat(EXT4_FEATURE_INCOMPAT_CASEFOLD)
             ? ::ext2fs_load_nls_table(superblock.raw.s_encoding)
             : nullptr;
}

// The list of attributes in the bytes of an inode that holds entries of a directory: its "data".
std::span<const std::byte> more_entries(std::span<const std::byte> inode) {
  const auto list = xattrs_in_inode(inode);
  std::span<const std::byte> found;
  for_each_xattr(list, [&](const XattrEntry& entry) {
    constexpr std::uint8_t kSystem = 7;
    const bool is_inside =
        entry.value_offset <= list.size() && entry.value_size <= list.size() - entry.value_offset;
    if (entry.name_index == kSystem && entry.name == "data" && is_inside)
      found = list.subspan(entry.value_offset, entry.value_size);
  });
  return found;
}

std::vector<BlockRoles::Table> sorted_tables(std::vector<BlockRoles::Table> tables) {
  std::ranges::stable_sort(tables, {}, &BlockRoles::Table::block);
  return tables;
}

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

// Where journals may begin.
std::vector<std::uint64_t> journal_candidates(const RoleMap& roles) {
  std::vector<std::uint64_t> blocks;
  for (const RoleMap::Run& run : roles.runs())
    if (run.role.block_class == BlockClass::journal) blocks.push_back(run.blocks.first);
  return blocks;
}

// The entries in the bytes of such an inode.
std::array<std::span<const std::byte>, 2> inline_entries_of(std::span<const std::byte> inode) {
  constexpr std::size_t kParent = 4;
  return {Inode(inode).map().subspan(kParent), more_entries(inode)};
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
      naming_{secret.derived("names"),
              {.seed = hash_seed_of(filesystem.superblock), .encoding = encoding_of(filesystem.superblock)},
              {}},
      roles_(roles.runs()),
      tables_(sorted_tables(roles.tables())),
      inodes_read_(roles.inodes_read()),
      journal_(filesystem, strict_, journal_candidates(roles_)),
      inode_rules_(inode_rules()) {
  find_bitmaps();
  if (strict_.is_strict())
    quota_trees_ = QuotaTrees(filesystem, [this](std::uint64_t block) { return versions_of_block(block); });
  auto parts = directory_parts(roles);
  const auto root = parts.find(EXT2_ROOT_INO);
  draw_hash_seed(root == parts.end() ? nullptr : &root->second);
  plan_directories(std::move(parts), threads);
  Tally counted_there;
  journal_.replace_fast_commits(fast_commit_rules(), counted_there);
}

// A bitmap is where its descriptor says if that has a right checksum, or if a backup of it says the same.
void Anonymizer::find_bitmaps() {
  const GroupDescriptors& descriptors = filesystem_.descriptors;
  const auto backup = first_backup(filesystem_);
  for (std::uint64_t group = 0; group < filesystem_.geometry.groups(); ++group) {
    if (descriptors.is_proven(group)) continue;
    all_are_proven_ = false;
    const bool has_backup = backup && group < backup->geometry.groups();
    const std::uint64_t blocks = descriptors.block_bitmap(group);
    const std::uint64_t inodes = descriptors.inode_bitmap(group);
    if (!has_backup || backup->descriptors.block_bitmap(group) != blocks)
      unproven_bitmaps_.emplace(blocks, group);
    if (!has_backup || backup->descriptors.inode_bitmap(group) != inodes)
      unproven_bitmaps_.emplace(inodes, group);
  }
}

// By inode: those whose names may depend on each other.
std::unordered_map<std::uint32_t, DirectoryParts> Anonymizer::directory_parts(const BlockRoles& roles) const {
  std::unordered_map<std::uint32_t, DirectoryParts> parts;
  for (const RoleMap::Run& run : roles_.runs())
    if (run.role.block_class == BlockClass::directories) parts[run.role.inode].blocks.push_back(run.blocks);
  journal_.for_each_copy([&](std::uint64_t target, std::uint64_t device_block) {
    const auto role = roles_.find(target);
    if (role && role->block_class == BlockClass::directories)
      parts[role->inode].blocks.push_back({device_block, 1});
  });
  for (const FastCommitArea::Name& name : journal_.names_in_fast_commits())
    parts[name.directory].other_names.push_back(name.name);
  for (const BlockRoles::Directory& directory : roles.directories()) {
    DirectoryParts& of_directory = parts[directory.inode];
    of_directory.flags |= directory.flags;
    if (directory.bytes.empty()) continue;
    for (const auto entries : inline_entries_of(directory.bytes))
      of_directory.inline_entries.emplace_back(entries.begin(), entries.end());
  }
  for (auto& [inode, of_directory] : parts) of_directory.inode = inode;
  return parts;
}

// Names that stay must keep their cells, too: in the root, lost+found.
void Anonymizer::draw_hash_seed(const DirectoryParts* root) {
  constexpr std::uint64_t kMostDraws = 1 << 20;
  constexpr std::string_view kKept = "lost+found";
  const DirectoryRules rules = root == nullptr ? DirectoryRules{} : plan_cells(filesystem_, *root);
  const auto cell_of = [&](NameHash hash) {
    hash.version = rules.hash_version;
    hash.encoding = nullptr;
    return rules.cells.cell_of(hash.of(kKept).value_or(0));
  };
  for (std::uint64_t draw = 0; draw < kMostDraws; ++draw) {
    std::uint64_t state = secret_.derived("hash seed", draw).hash("").first;
    for (std::uint32_t& word : naming_.new_hash.seed) word = static_cast<std::uint32_t>(next_number(state));
    if (!rules.cells.are_needed() || cell_of(naming_.new_hash) == cell_of(naming_.old_hash)) return;
  }
}

void Anonymizer::plan_directories(std::unordered_map<std::uint32_t, DirectoryParts> parts, unsigned threads) {
  std::vector<const DirectoryParts*> list;
  for (const auto& [inode, of_directory] : parts) list.push_back(&of_directory);
  std::ranges::sort(list, {}, [](const DirectoryParts* directory) {
    return directory->blocks.empty() ? 0 : directory->blocks.front().first;
  });
  std::atomic<std::size_t> next{0};
  std::mutex mutex;  // guards directories_
  const auto work = [&] {
    for (std::size_t i = next++; i < list.size(); i = next++) {
      DirectoryRules rules = plan_names(filesystem_, naming_, *list[i], plan_cells(filesystem_, *list[i]));
      if (rules.is_plain()) continue;
      const std::scoped_lock lock(mutex);
      directories_.emplace(rules.inode, std::move(rules));
    }
  };
  run_threads(threads, work, [&] { next = list.size(); });
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
                with_namer(directory, [&](const DirectoryNamer& namer) {
                  ext2::anonymize_entries(namer, entries, tally);
                });
              },
          .checksums_of_value = [this](std::uint32_t inode) { return checksums_of_value(inode); },
          .checksum_of_zeros = [this](std::uint64_t size) { return checksum_of_zeros(size); }};
}

FastCommitRules Anonymizer::fast_commit_rules() const {
  return {[this](std::uint32_t directory, std::string_view name, Tally& tally) {
            std::string result;
            with_namer(directory, [&](const DirectoryNamer& namer) {
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

// The inode on the device, and in the journal.
std::vector<std::vector<std::byte>> Anonymizer::versions_of(std::uint32_t inode) const {
  std::vector<std::vector<std::byte>> versions;
  if (auto bytes = read_inode(filesystem_, inode)) versions.push_back(std::move(*bytes));
  const Geometry& geometry = filesystem_.geometry;
  const auto place = geometry.place_of_inode(inode);
  if (!place) return versions;
  const std::uint64_t offset = place->index * geometry.inode_size();
  const std::uint64_t table = filesystem_.descriptors.inode_table(place->group);
  for (const std::uint64_t copy : journal_.copies_of(table + offset / geometry.block_size())) {
    std::vector<std::byte> bytes(geometry.inode_size());
    filesystem_.file.read(geometry.bytes({copy, 1}).offset + offset % geometry.block_size(), bytes);
    versions.push_back(std::move(bytes));
  }
  return versions;
}

// On the device, and in the journal.
std::vector<std::vector<std::byte>> Anonymizer::versions_of_block(std::uint64_t block) const {
  std::vector<std::uint64_t> places = journal_.copies_of(block);
  places.push_back(block);
  std::vector<std::vector<std::byte>> versions;
  for (const std::uint64_t place : places) {
    versions.emplace_back(filesystem_.geometry.block_size());
    filesystem_.file.read(filesystem_.geometry.bytes({place, 1}).offset, versions.back());
  }
  return versions;
}

// An inode that holds a value has it in place of a time. Source: lib/ext2fs/ext_attr.c
std::vector<ValueChecksum> Anonymizer::checksums_of_value(std::uint32_t inode) const {
  constexpr std::size_t kAccessTime = 8;
  std::vector<ValueChecksum> checksums;
  for (const auto& bytes : versions_of(inode))
    checksums.push_back(
        {load_le<std::uint32_t>(bytes, kAccessTime), checksum_of_zeros(Inode(bytes).size_low())});
  return checksums;
}

std::uint32_t Anonymizer::checksum_of_zeros(std::uint64_t size) const {
  constexpr std::uint64_t kLargestValue = 1 << 24;
  const std::vector<std::byte> zeros(std::min(size, kLargestValue));
  return crc32c(checksum_seed(filesystem_.superblock) ^ strict_.seed_difference().after(0), zeros);
}

void Anonymizer::visit_names(std::uint32_t directory, std::span<const std::byte> entries,
                             const std::function<void(const Renamed&)>& visit) const {
  std::vector<std::string_view> names;
  std::vector<std::uint32_t> inodes;
  for_each_entry(entries, [&](const DirectoryEntry& entry) {
    names.push_back(entry.name);
    inodes.push_back(entry.inode);
  });
  with_namer(directory, [&](const DirectoryNamer& namer) {
    const auto cells = namer.cells_of(names);
    for (std::size_t i = 0; i < names.size(); ++i)
      if (!namer.is_kept(names[i]))
        visit(
            {directory, inodes[i], names[i], namer.replacement(names[i], cells.empty() ? 0 : cells[i]).name});
  });
}

void Anonymizer::for_each_name(const BlockRoles& roles,
                               const std::function<void(const Renamed&)>& visit) const {
  std::vector<std::byte> bytes(filesystem_.geometry.block_size());
  for (const auto& [blocks, role] : roles_.runs()) {
    if (role.block_class != BlockClass::directories) continue;
    for (std::uint64_t block = blocks.first; block < blocks.end(); ++block) {
      filesystem_.file.read(filesystem_.geometry.bytes({block, 1}).offset, bytes);
      visit_names(role.inode, bytes, visit);
    }
  }
  for (const BlockRoles::Directory& directory : roles.directories()) {
    if (directory.bytes.empty()) continue;
    for (const auto entries : inline_entries_of(directory.bytes))
      visit_names(directory.inode, entries, visit);
  }
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
  anonymize_superblock({secret_, strict_, naming_.new_hash.seed}, bytes.subspan(place, kSuperblockSize),
                       tally);
}

void Anonymizer::replace_descriptors(std::uint64_t block, std::span<std::byte> bytes, Tally& tally) const {
  const std::size_t used = used_descriptor_bytes(block);
  anonymize_descriptors(filesystem_.geometry, used, bytes, tally);
  descriptor_checksums_.patch(bytes.first(used));
}

// The last block of the descriptors is not full.
std::size_t Anonymizer::used_descriptor_bytes(std::uint64_t block) const {
  const Geometry& geometry = filesystem_.geometry;
  const auto group = geometry.group_of(block);
  const BlockRun run = group ? geometry.descriptors_in(*group) : BlockRun{};
  const std::uint64_t size = geometry.block_size();
  if (block < run.first || block >= run.end()) return size;
  const std::uint64_t per_block = size / geometry.descriptor_size();
  const std::uint64_t index = geometry.has_first_descriptors(*group) ? block - run.first : *group / per_block;
  const std::uint64_t used = geometry.groups() * geometry.descriptor_size();
  return std::min(size, used - std::min(used, index * size));
}

void Anonymizer::replace_bitmap(BlockClass block_class, std::uint64_t block, std::span<std::byte> bytes,
                                Tally& tally) const {
  const auto unproven = unproven_bitmaps_.find(block);
  const bool is_proven = unproven == unproven_bitmaps_.end();
  anonymize_bitmap(filesystem_,
                   {block_class == BlockClass::inode_bitmaps, is_proven ? 0 : unproven->second, is_proven},
                   bytes, tally);
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
    const bool is_one = is_plausible_inode(inode_rules_, short_number, inode);
    if (!is_one) ++tally.not_parsed;
    if (!is_one || was_never_used(number) ||
        (is_marked_unused(number) && !has_right_checksum(inode_rules_, short_number, inode)))
      clear(inode);
    else
      anonymize_inode(inode_rules_, short_number, inode, tally);
  }
}

// One descriptor with a wrong checksum, and e2fsck believes none.
bool Anonymizer::was_never_used(std::uint64_t inode) const {
  return all_are_proven_ && is_marked_unused(inode);
}

bool Anonymizer::is_marked_unused(std::uint64_t inode) const {
  const auto place = filesystem_.geometry.place_of_inode(inode);
  return place && place->group < inodes_read_.size() && place->index >= inodes_read_[place->group];
}

void Anonymizer::replace_directory(std::uint32_t inode, std::span<std::byte> bytes, Tally& tally) const {
  with_namer(inode, [&](const DirectoryNamer& namer) {
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
