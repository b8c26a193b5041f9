// SPDX-License-Identifier: GPL-2.0-or-later
#include "e2image_compat/scramble.h"

#include <ext2fs/ext2fs.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "base/bytes.h"
#include "base/stop.h"
#include "ext2/selection/block_map.h"
#include "ext2/structures/inode.h"

namespace e2qcow::compat {
namespace {

// Source of the layout: <ext2fs/ext2_fs.h>, struct ext2_dir_entry_2, ext2_dir_entry_tail
constexpr std::size_t kEntryHeader = 8;
constexpr std::size_t kTailBytes = 12;
constexpr std::size_t kChecksumBytes = 4;

std::size_t entry_length(std::span<const std::byte> entry, std::size_t block_size) {
  const auto length = load_le<std::uint16_t>(entry, 4);
  const bool is_whole_block = block_size == 65536 && (length == 65535 || length == 0);
  return is_whole_block ? block_size : length;
}

void set_entry_length(std::span<std::byte> entry, std::size_t length) {
  const auto stored = little_endian(static_cast<std::uint16_t>(std::min<std::size_t>(length, 65535)));
  std::ranges::copy(std::as_bytes(std::span(&stored, 1)), entry.begin() + 4);
}

std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> bytes) {
  return ::ext2fs_crc32c_le(crc, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

template <typename T>
std::uint32_t crc32c_of(std::uint32_t crc, T value) {
  value = little_endian(value);
  return crc32c(crc, std::as_bytes(std::span(&value, 1)));
}

std::uint32_t filesystem_seed(const ext2::Superblock& superblock) {
  if (superblock.has_incompat(EXT4_FEATURE_INCOMPAT_CSUM_SEED)) return superblock.raw.s_checksum_seed;
  return crc32c(~0U, std::as_bytes(std::span(superblock.raw.s_uuid)));
}

bool is_dot_or_dot_dot(std::string_view name) {
  return name == "." || name == "..";
}

// Goes over the directories of one group; each is followed on its own, so that its blocks are known as its
// own.
class DirectorySearch {
 public:
  DirectorySearch(const ext2::Filesystem& filesystem, DirectoryBlocks& found)
      : filesystem_(filesystem), found_(found), seed_(filesystem_seed(filesystem.superblock)) {}

  void search_group(std::uint64_t group) {
    const ext2::Geometry& geometry = filesystem_.geometry;
    const ext2::BlockRun table =
        geometry.clip({filesystem_.descriptors.inode_table(group), geometry.inode_table_blocks()});
    const std::size_t inode_size = geometry.inode_size();
    std::vector<std::byte> block(geometry.block_size());
    for (std::uint64_t i = 0; i < table.count; ++i) {
      filesystem_.file.read(geometry.bytes({table.first + i, 1}).offset, block);
      if (is_zero(block)) continue;
      const std::uint64_t first = group * geometry.inodes_per_group() + i * (block.size() / inode_size) + 1;
      for (std::size_t k = 0; k < block.size() / inode_size; ++k)
        add(first + k, ext2::Inode(std::span(block).subspan(k * inode_size, EXT2_GOOD_OLD_INODE_SIZE)));
    }
  }

 private:
  void add(std::uint64_t number, const ext2::Inode& inode) {
    if (!inode.is_directory() || inode.links() == 0 || inode.has_no_map()) return;
    ext2::Selection selection;
    ext2::Findings ignored;
    ext2::BlockMapWalk walk(filesystem_, selection, ignored);
    walk.add(number, inode.map(), inode.uses_extents(),
             ext2::BlockMapWalk::Contents{BlockClass::directories});
    walk.finish();
    const std::uint32_t seed =
        crc32c_of(crc32c_of(seed_, static_cast<std::uint32_t>(number)), inode.generation());
    for (const auto& [blocks, block_class] : std::move(selection).sorted())
      if (block_class == BlockClass::directories) found_.runs.push_back({blocks, seed});
  }

  const ext2::Filesystem& filesystem_;
  DirectoryBlocks& found_;
  std::uint32_t seed_;
};

// Where two directories claim a block, the first in the order of the disk has it.
void remove_overlaps(std::vector<DirectoryBlocks::Run>& runs) {
  std::uint64_t end = 0;
  for (auto& [blocks, unused] : runs) {
    const std::uint64_t skipped = std::min(blocks.count, end - std::min(end, blocks.first));
    blocks = {blocks.first + skipped, blocks.count - skipped};
    end = std::max(end, blocks.end());
  }
  std::erase_if(runs, [](const auto& run) { return run.blocks.count == 0; });
}

}  // namespace

void NameScrambler::replace(std::span<std::byte> name) {
  std::uint32_t number = used_[name.size()]++;
  std::ranges::fill(name, std::byte{'A'});
  for (std::byte& letter : name) {
    if (number == 0) break;
    letter = static_cast<std::byte>('A' + number % 26);
    number /= 26;
  }
}

void NameScrambler::scramble(std::span<std::byte> block,
                             const std::function<void(const std::string&)>& complain) {
  const std::size_t block_size = block.size();
  while (block.size() > kEntryHeader) {
    const std::size_t length = entry_length(block, block_size);
    if (length < kEntryHeader || length % 4 != 0 || length > block.size()) {
      complain(fmt::format("bad rec_len ({})", length));
      set_entry_length(block, block.size());
      std::ranges::fill(block.subspan(kEntryHeader), std::byte{0});
      block[6] = std::byte{0};  // no name
      return;
    }
    std::size_t name_length = static_cast<std::size_t>(block[6]);
    if (name_length + kEntryHeader > length) {
      complain(fmt::format("bad name_len ({})", name_length));
      name_length = length - kEntryHeader;
      block[6] = static_cast<std::byte>(name_length);
    }
    const auto room = block.subspan(kEntryHeader, length - kEntryHeader);
    std::ranges::fill(room.subspan(name_length), std::byte{0});
    const auto name = room.first(name_length);
    if (!is_dot_or_dot_dot({reinterpret_cast<const char*>(name.data()), name.size()})) replace(name);
    block = block.subspan(length);
  }
}

void set_directory_checksum(std::span<std::byte> block, std::uint32_t seed) {
  constexpr std::uint64_t kTailHead = 0xde00'000c'0000'0000;  // no inode, 12 bytes, no name, type 0xde
  if (load_le<std::uint64_t>(block, block.size() - kTailBytes) != kTailHead) return;
  const std::uint32_t checksum = little_endian(crc32c(seed, block.first(block.size() - kTailBytes)));
  std::ranges::copy(std::as_bytes(std::span(&checksum, 1)), block.last(kChecksumBytes).begin());
}

DirectoryBlocks find_directories(const ext2::Filesystem& filesystem) {
  DirectoryBlocks found;
  found.has_checksums = filesystem.superblock.has_ro_compat(EXT4_FEATURE_RO_COMPAT_METADATA_CSUM);
  DirectorySearch search(filesystem, found);
  for (std::uint64_t group = 0; group < filesystem.geometry.groups(); ++group) {
    throw_if_stopped();
    search.search_group(group);
  }
  std::ranges::sort(found.runs, {}, [](const auto& run) { return run.blocks.first; });
  remove_overlaps(found.runs);
  return found;
}

void ScrambledSource::read(std::uint64_t guest_offset, std::span<std::byte> out) const {
  source_.read(guest_offset, out);
  const std::uint64_t first = guest_offset / block_size_;
  const std::uint64_t end = first + out.size() / block_size_;
  const auto ends = [](const DirectoryBlocks::Run& run) { return run.blocks.end(); };
  auto next = std::ranges::upper_bound(directories_.runs, first, {}, ends);
  for (; next != directories_.runs.end() && next->blocks.first < end; ++next) {
    const std::uint64_t last = std::min(end, next->blocks.end());
    for (std::uint64_t block = std::max(first, next->blocks.first); block < last; ++block)
      scramble_block(block, out.subspan((block - first) * block_size_, block_size_), next->checksum_seed);
  }
}

void ScrambledSource::scramble_block(std::uint64_t block, std::span<std::byte> bytes,
                                     std::uint32_t seed) const {
  names_.scramble(bytes, [&](const std::string& what) {
    fmt::print(messages_, "Corrupt directory block {}: {}\n", block, what);
  });
  if (directories_.has_checksums) set_directory_checksum(bytes, seed);
}

}  // namespace e2qcow::compat
