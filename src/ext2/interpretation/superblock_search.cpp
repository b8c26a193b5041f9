// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/interpretation/superblock_search.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/bytes.h"
#include "base/stop.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::uint64_t kSearchedBytes = 64 << 20;  // for copies at unusual offsets
constexpr std::uint64_t kSearchStep = 1 << 20;
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

std::optional<Superblock> find_backup(const ReadableFile& file, std::uint32_t block_size) {
  for (const std::uint64_t offset : usual_offsets(block_size)) {
    const auto found = read_superblock(file, offset);
    if (found && found->block_size() == block_size) return found;
  }
  return std::nullopt;
}

// A copy in the journal, or in a file that is itself an image, is not in the group that it names.
bool is_where_it_belongs(const Superblock& superblock) {
  const bool has_clusters = superblock.has_ro_compat(EXT4_FEATURE_RO_COMPAT_BIGALLOC);
  const std::uint64_t block =
      (has_clusters ? 0 : first_data_block(superblock.block_size())) +
      static_cast<std::uint64_t>(superblock.raw.s_block_group_nr) * superblock.raw.s_blocks_per_group;
  return superblock.raw.s_block_group_nr != 0 && block * superblock.block_size() == superblock.offset;
}

std::optional<Superblock> find_backup_anywhere(const ReadableFile& file) {
  std::vector<std::byte> bytes(kSearchStep);
  const std::uint64_t end = std::min(file.size(), kSearchedBytes);
  for (std::uint64_t offset = 0; offset < end; offset += kSearchStep) {
    throw_if_stopped();
    const auto part = std::span(bytes).first(file.read_up_to(offset, bytes));
    for (std::size_t i = 0; i + kSuperblockSize <= part.size(); i += kSuperblockSize) {
      if (load_le<std::uint16_t>(part, i + kMagicOffset) != EXT2_SUPER_MAGIC) continue;
      const auto found = read_superblock(file, offset + i);
      if (found && is_where_it_belongs(*found)) return found;
    }
  }
  return std::nullopt;
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

std::optional<Superblock> search_superblock(const ReadableFile& file, const SuperblockChoice& choice) {
  if (choice.block) {
    for (const std::uint32_t size : block_sizes(choice))
      if (const auto found = chosen_copy(file, *choice.block, size)) return found;
    return std::nullopt;
  }
  if (const auto primary = read_superblock(file, kSuperblockOffset)) return primary;
  for (const std::uint32_t size : block_sizes(choice))
    if (const auto backup = find_backup(file, size)) return backup;
  if (const auto backup = find_backup_anywhere(file)) return backup;
  return read_repaired_primary(file);
}

Superblock find_superblock(const ReadableFile& file, const SuperblockChoice& choice) {
  if (const auto found = search_superblock(file, choice)) return *found;
  if (choice.block)
    fail(Errc::no_superblock,
         fmt::format("{}: there is no ext2/3/4 superblock in block {}", file.name(), *choice.block));
  fail(Errc::not_ext2, file.name() + ": no ext2/3/4 file system found (neither its superblock nor a backup)");
}

}  // namespace e2qcow::ext2
