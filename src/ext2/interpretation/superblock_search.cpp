// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/interpretation/superblock_search.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/bytes.h"
#include "base/file/file_window.h"
#include "base/stop.h"
#include "ext2/structures/filesystem.h"
#include "ext2/structures/inode.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::uint64_t kSearchedBytes = 64 << 20;  // for copies at unusual offsets
constexpr std::uint64_t kSearchStep = 1 << 20;
constexpr std::size_t kSectorStep = 512;  // what disks begin in may be odd by a sector
constexpr std::size_t kMagicOffset = 56;

std::uint64_t first_data_block(std::uint32_t block_size) {
  return block_size == 1024 ? 1 : 0;
}

// mke2fs gives a group as many blocks as a bitmap block has bits, and sparse_super keeps copies in group 1
// and the powers of 3, 5 and 7.
std::vector<std::uint64_t> usual_offsets(std::uint32_t block_size) {
  const std::uint64_t blocks_per_group = block_size * 8ULL;
  std::vector<std::uint64_t> offsets;
  for (const std::uint64_t group : {1, 3, 5, 7, 9, 25, 27, 49})
    offsets.push_back((group * blocks_per_group + first_data_block(block_size)) * block_size);
  return offsets;
}

// The offset in its file system at which the copy belongs. Absent if it does not say: revision 0 does not,
// and groups from 65535 on have that number.
std::optional<std::uint64_t> own_offset(const Superblock& superblock) {
  const ext2_super_block& raw = superblock.raw;
  const std::uint64_t group = raw.s_block_group_nr;
  if (raw.s_rev_level == EXT2_GOOD_OLD_REV || group == 0xffff) return std::nullopt;
  if (group == 0) return kSuperblockOffset;
  const bool has_clusters = superblock.has_ro_compat(EXT4_FEATURE_RO_COMPAT_BIGALLOC);
  const std::uint64_t first = has_clusters ? 0 : first_data_block(superblock.block_size());
  return (first + group * raw.s_blocks_per_group) * superblock.block_size();
}

// Whether the descriptors that follow the copy lead to a root directory.
bool leads_to_root(const ReadableFile& file, const Superblock& superblock) {
  const Filesystem filesystem(file, superblock);
  const Geometry& geometry = filesystem.geometry;
  const auto place = geometry.place_of_inode(EXT2_ROOT_INO);
  if (!place) return false;
  const BlockRun table = geometry.clip({filesystem.descriptors.inode_table(place->group), 1});
  if (table.count == 0 || table.first == 0) return false;
  std::array<std::byte, EXT2_GOOD_OLD_INODE_SIZE> bytes;
  file.read(geometry.bytes(table).offset + place->index * geometry.inode_size(), bytes);
  return Inode(bytes).is_directory();
}

bool is_same_file_system(const Superblock& a, const Superblock& b) {
  return std::ranges::equal(a.raw.s_uuid, b.raw.s_uuid) && a.block_size() == b.block_size();
}

bool begins_at(const ReadableFile& file, std::uint64_t offset, const Superblock& copy) {
  if (offset >= file.size()) return false;
  const FileWindow part(file, {offset, file.size() - offset});
  const auto primary = read_superblock(part, kSuperblockOffset);
  return primary && is_same_file_system(*primary, copy) && leads_to_root(part, *primary);
}

// Where the file system of the copy begins. Linux before 5.18 gave backups the primary's number when a file
// system grew while it was mounted.
std::int64_t begin_of(const ReadableFile& file, const Superblock& copy) {
  const auto own = own_offset(copy);
  if (!own) return 0;
  const auto begin = static_cast<std::int64_t>(copy.offset) - static_cast<std::int64_t>(*own);
  if (copy.raw.s_block_group_nr != 0 || begin < 0 || begins_at(file, static_cast<std::uint64_t>(begin), copy))
    return begin;
  return leads_to_root(file, copy) ? 0 : begin;
}

// Sorts the copies into those of file systems that begin here, and others.
class Copies {
 public:
  explicit Copies(const ReadableFile& file) : file_(file) {}

  void look_at(std::uint64_t offset, std::optional<std::uint32_t> block_size) {
    const auto found = read_superblock(file_, offset);
    if (!found || (block_size && found->block_size() != *block_size)) return;
    const std::int64_t begin = begin_of(file_, *found);
    if (begin == 0) {
      if (is_new(here_, *found)) here_.push_back(*found);
      return;
    }
    if (begin > 0 && !begins_at(file_, static_cast<std::uint64_t>(begin), *found))
      return;  // one in a file or a log
    const bool is_known = std::ranges::any_of(others_, [&](const OtherFilesystem& other) {
      return other.begin == begin && is_same_file_system(other.superblock, *found);
    });
    if (!is_known && others_.size() < kMaxOthers) others_.push_back({begin, *found});
  }
  bool has_found() const { return !here_.empty(); }

  // The last one that was made, of those that lead to a root directory.
  SuperblockSearch result() && {
    const auto rank = [&](const Superblock& copy) {
      return std::pair(leads_to_root(file_, copy), copy.raw.s_mkfs_time);
    };
    if (here_.size() > 1) std::ranges::stable_sort(here_, std::ranges::greater(), rank);
    SuperblockSearch search;
    if (!here_.empty()) search.superblock = here_.front();
    if (here_.size() > 1) search.rival = here_[1];
    search.others = std::move(others_);
    return search;
  }

 private:
  static constexpr std::size_t kMaxOthers = 8;
  static bool is_new(const std::vector<Superblock>& known, const Superblock& copy) {
    return std::ranges::none_of(known, [&](const Superblock& one) { return is_same_file_system(one, copy); });
  }

  const ReadableFile& file_;
  std::vector<Superblock> here_;  // each file system once
  std::vector<OtherFilesystem> others_;
};

void look_anywhere(const ReadableFile& file, std::optional<std::uint32_t> block_size, Copies& copies) {
  std::vector<std::byte> bytes(kSearchStep + kSectorStep);
  const std::uint64_t end = std::min(file.size(), kSearchedBytes);
  for (std::uint64_t offset = 0; offset < end; offset += kSearchStep) {
    throw_if_stopped();
    const auto part = std::span(bytes).first(file.read_up_to(offset, bytes));
    for (std::size_t i = 0; i + kSuperblockSize <= part.size(); i += kSectorStep)
      if (load_le<std::uint16_t>(part, i + kMagicOffset) == EXT2_SUPER_MAGIC)
        copies.look_at(offset + i, block_size);
    if (copies.has_found()) return;
  }
}

std::optional<Superblock> chosen_copy(const ReadableFile& file, std::uint64_t block,
                                      std::uint32_t block_size) {
  if (block > file.size() / block_size) return std::nullopt;
  const auto found = read_superblock(file, block * block_size);
  return found && found->block_size() == block_size ? found : std::nullopt;
}

std::vector<std::uint32_t> block_sizes(const SuperblockChoice& choice) {
  if (choice.block_size) return {*choice.block_size};
  std::vector<std::uint32_t> sizes;
  for (std::uint32_t size = 1024; size <= kMaxBlockSize; size *= 2) sizes.push_back(size);
  return sizes;
}

}  // namespace

std::vector<std::uint64_t> usual_superblock_offsets() {
  std::vector<std::uint64_t> offsets{kSuperblockOffset};
  for (const std::uint32_t size : block_sizes({}))
    std::ranges::copy(usual_offsets(size), std::back_inserter(offsets));
  return offsets;
}

std::optional<std::uint64_t> true_begin(const ReadableFile& disk, std::uint64_t searched_at,
                                        const Superblock& copy) {
  const auto own = own_offset(copy);
  const std::uint64_t place = searched_at + copy.offset;
  if (!own || *own > place || *own == copy.offset || !begins_at(disk, place - *own, copy))
    return std::nullopt;
  return place - *own;
}

SuperblockSearch search_superblock(const ReadableFile& file, const SuperblockChoice& choice) {
  if (choice.block) {
    for (const std::uint32_t size : block_sizes(choice))
      if (const auto found = chosen_copy(file, *choice.block, size)) return {.superblock = found};
    return {};
  }
  if (const auto primary = read_superblock(file, kSuperblockOffset)) return {.superblock = primary};
  Copies copies(file);
  for (const std::uint32_t size : block_sizes(choice))
    for (const std::uint64_t offset : usual_offsets(size)) copies.look_at(offset, size);
  if (!copies.has_found()) look_anywhere(file, choice.block_size, copies);
  SuperblockSearch search = std::move(copies).result();
  if (!search.superblock && search.others.empty()) search.superblock = read_repaired_primary(file);
  return search;
}

Superblock find_superblock(const ReadableFile& file, const SuperblockChoice& choice) {
  if (const auto found = search_superblock(file, choice).superblock) return *found;
  if (choice.block)
    fail(Errc::no_superblock,
         fmt::format("{}: there is no ext2/3/4 superblock in block {}", file.name(), *choice.block));
  fail(Errc::not_ext2, file.name() + ": no ext2/3/4 file system found (neither its superblock nor a backup)");
}

}  // namespace e2qcow::ext2
