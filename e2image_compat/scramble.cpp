// SPDX-License-Identifier: GPL-2.0-or-later
#include "e2image_compat/scramble.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "base/bytes.h"
#include "base/stop.h"
#include "ext2/selection/block_map.h"
#include "ext2/structures/checksum.h"
#include "ext2/structures/directory.h"
#include "ext2/structures/inode_table_reader.h"

namespace e2qcow::compat {
namespace {

using ext2::EntryHead;

// Source of the layout: <ext2fs/ext2_fs.h>, struct ext2_dir_entry_2, ext2_dir_entry_tail
constexpr std::size_t kLengthOffset = 4;
constexpr std::size_t kNameLengthOffset = 6;
constexpr std::size_t kTailBytes = 12;
constexpr std::size_t kChecksumBytes = 4;

void make_one_empty_entry(std::span<std::byte> bytes) {
  const auto length = static_cast<std::uint16_t>(std::min<std::size_t>(bytes.size(), 65535));
  store_le(bytes, kLengthOffset, length);
  bytes[kNameLengthOffset] = std::byte{0};
  std::ranges::fill(bytes.subspan(EntryHead::kBytes), std::byte{0});
}

bool is_dot_or_dot_dot(std::string_view name) {
  return name == "." || name == "..";
}

// Goes over the directories of one group, one at a time, so that each block is assigned to its directory.
class DirectorySearch {
 public:
  DirectorySearch(const ext2::Filesystem& filesystem, DirectoryBlocks& found)
      : filesystem_(filesystem),
        found_(found),
        tables_(filesystem),
        seed_(ext2::checksum_seed(filesystem.superblock)) {}

  void search_group(std::uint64_t group) {
    const ext2::Geometry& geometry = filesystem_.geometry;
    const ext2::BlockRun table{filesystem_.descriptors.inode_table(group), geometry.inode_table_blocks()};
    for (const auto& part : tables_.parts_of(group, geometry.clip(table)))
      tables_.for_each_inode(part,
                             [&](std::uint64_t number, const ext2::Inode& inode) { add(number, inode); });
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
        ext2::crc32c_of(ext2::crc32c_of(seed_, static_cast<std::uint32_t>(number)), inode.generation());
    for (const auto& [blocks, block_class] : std::move(selection).sorted())
      if (block_class == BlockClass::directories) found_.runs.push_back({blocks, seed});
  }

  const ext2::Filesystem& filesystem_;
  DirectoryBlocks& found_;
  ext2::InodeTableReader tables_;
  std::uint32_t seed_;
};

// If two directories claim a block, the first in the order of the disk gets it.
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
  while (block.size() > EntryHead::kBytes) {
    const EntryHead head(block, block_size);
    if (!head.has_valid_length(block.size())) {
      complain(fmt::format("bad rec_len ({})", head.length));
      return make_one_empty_entry(block);
    }
    std::size_t name_length = head.name_length;
    if (name_length + EntryHead::kBytes > head.length) {
      complain(fmt::format("bad name_len ({})", name_length));
      name_length = head.length - EntryHead::kBytes;
      block[kNameLengthOffset] = static_cast<std::byte>(name_length);
    }
    const auto room = block.subspan(EntryHead::kBytes, head.length - EntryHead::kBytes);
    std::ranges::fill(room.subspan(name_length), std::byte{0});
    const auto name = room.first(name_length);
    if (!is_dot_or_dot_dot({reinterpret_cast<const char*>(name.data()), name.size()})) replace(name);
    block = block.subspan(head.length);
  }
}

void set_directory_checksum(std::span<std::byte> block, std::uint32_t seed) {
  constexpr std::uint64_t kTailHead = 0xde00'000c'0000'0000;  // no inode, 12 bytes, no name, type 0xde
  if (load_le<std::uint64_t>(block, block.size() - kTailBytes) != kTailHead) return;
  store_le(block, block.size() - kChecksumBytes, ext2::crc32c(seed, block.first(block.size() - kTailBytes)));
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
