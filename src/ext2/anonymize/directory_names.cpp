// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/directory_names.h"

#include <ext2fs/ext2_fs.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>

#include "base/hashing.h"
#include "base/threads.h"
#include "ext2/structures/directory.h"
#include "ext2/structures/inode.h"
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
    const bool is_inside =
        entry.value_offset <= list.size() && entry.value_size <= list.size() - entry.value_offset;
    if (entry.prefix == XattrPrefix::system && entry.name == "data" && is_inside)
      found = list.subspan(entry.value_offset, entry.value_size);
  });
  return found;
}

// The entries in the bytes of such an inode.
std::array<std::span<const std::byte>, 2> inline_entries_of(std::span<const std::byte> inode) {
  constexpr std::size_t kParent = 4;
  return {Inode(inode).map().subspan(kParent), more_entries(inode)};
}

// By inode: those whose names may depend on each other.
std::unordered_map<std::uint32_t, DirectoryParts> parts_of(const DirectorySources& sources) {
  std::unordered_map<std::uint32_t, DirectoryParts> parts;
  for (const RoleMap::Run& run : sources.map.runs())
    if (run.role.block_class == BlockClass::directories) parts[run.role.inode].blocks.push_back(run.blocks);
  sources.journal.for_each_copy([&](std::uint64_t target, std::uint64_t device_block) {
    const auto role = sources.map.find(target);
    if (role && role->block_class == BlockClass::directories)
      parts[role->inode].blocks.push_back({device_block, 1});
  });
  for (const FastCommitArea::Name& name : sources.journal.names_in_fast_commits())
    parts[name.directory].other_names.push_back(name.name);
  for (const BlockRoles::Directory& directory : sources.roles.directories()) {
    DirectoryParts& of_directory = parts[directory.inode];
    of_directory.flags |= directory.flags;
    if (directory.bytes.empty()) continue;
    for (const auto entries : inline_entries_of(directory.bytes))
      of_directory.inline_entries.emplace_back(entries.begin(), entries.end());
  }
  for (auto& [inode, of_directory] : parts) of_directory.inode = inode;
  return parts;
}

}  // namespace

DirectoryNames::DirectoryNames(const Filesystem& filesystem, const DirectorySources& sources,
                               const Secret& secret, unsigned threads)
    : filesystem_(filesystem),
      map_(sources.map),
      naming_{secret.derived("names"),
              {.seed = hash_seed_of(filesystem.superblock), .encoding = encoding_of(filesystem.superblock)},
              {}} {
  auto parts = parts_of(sources);
  const auto root = parts.find(EXT2_ROOT_INO);
  draw_hash_seed(secret, root == parts.end() ? nullptr : &root->second);
  plan_directories(parts, threads);
}

// Names that stay must keep their cells, too: in the root, lost+found.
void DirectoryNames::draw_hash_seed(const Secret& secret, const DirectoryParts* root) {
  constexpr std::uint64_t kMostDraws = 1 << 20;
  constexpr std::string_view kKept = "lost+found";
  const DirectoryRules rules = root == nullptr ? DirectoryRules{} : plan_cells(filesystem_, *root);
  const auto cell_of = [&](NameHash hash) {
    hash.version = rules.hash_version;
    hash.encoding = nullptr;
    return rules.cells.cell_of(hash.of(kKept).value_or(0));
  };
  for (std::uint64_t draw = 0; draw < kMostDraws; ++draw) {
    std::uint64_t state = secret.derived("hash seed", draw).hash("").first;
    for (std::uint32_t& word : naming_.new_hash.seed) word = static_cast<std::uint32_t>(next_number(state));
    if (!rules.cells.are_needed() || cell_of(naming_.new_hash) == cell_of(naming_.old_hash)) return;
  }
}

void DirectoryNames::plan_directories(const std::unordered_map<std::uint32_t, DirectoryParts>& parts,
                                      unsigned threads) {
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

void DirectoryNames::visit_names(std::uint32_t directory, std::span<const std::byte> entries,
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

void DirectoryNames::for_each_name(const BlockRoles& roles,
                                   const std::function<void(const Renamed&)>& visit) const {
  std::vector<std::byte> bytes(filesystem_.geometry.block_size());
  for (const auto& [blocks, role] : map_.runs()) {
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

}  // namespace e2qcow::ext2
