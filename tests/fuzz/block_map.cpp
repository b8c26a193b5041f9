// SPDX-License-Identifier: GPL-2.0-or-later
// The block map of an inode: extent trees and indirect blocks. The input is a byte of options, the size of
// blocks, two bytes without meaning, the 60 bytes of the map, and the disk.
#include "ext2/selection/block_map.h"

#include "ext2/structures/file_blocks.h"
#include "ext2/structures/inode.h"
#include "tests/fuzz/promises.h"
#include "tests/support/ext2_image.h"
#include "tests/support/memory_file.h"

using namespace e2qcow;

namespace {

constexpr std::size_t kMapOffset = 4;
constexpr std::size_t kDiskOffset = kMapOffset + ext2::Inode::kMapSize;

void walk(const ext2::Filesystem& filesystem, std::span<const std::byte> map, bool uses_extents,
          std::optional<ext2::BlockMapWalk::Contents> contents) {
  ext2::CheckingVisitor visitor(filesystem.geometry);
  ext2::Findings findings;
  ext2::BlockMapWalk walk(filesystem, visitor, findings);
  walk.add(12, map, uses_extents, contents);
  walk.finish();
}

void put_in_order(const ext2::Filesystem& filesystem, std::span<const std::byte> map, bool uses_extents) {
  constexpr std::uint64_t kLimit = 5000;
  std::uint64_t blocks = 0;
  for (const ext2::BlockRun& run : ext2::blocks_of_file(filesystem, map, uses_extents, kLimit)) {
    require(run.first == 0 || filesystem.geometry.clip(run) == run);
    blocks += run.count;
  }
  require(blocks <= kLimit);
  const auto first = ext2::first_block_of_file(filesystem, map, uses_extents);
  require(!first || (*first != 0 && *first < filesystem.geometry.blocks()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < kDiskOffset) return 0;
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto disk = bytes.subspan(kDiskOffset);
  const MemoryFile file({disk.begin(), disk.end()});
  const std::uint32_t block_size = 1024U << data[1] % 7;
  const ext2::Filesystem filesystem(file, ext2::plain_superblock(block_size, file.size() / block_size));
  const auto map = bytes.subspan(kMapOffset, ext2::Inode::kMapSize);
  const bool uses_extents = (data[0] & 1) != 0;
  const ext2::BlockMapWalk::Contents contents{BlockClass::directories, (data[0] & 2) != 0};
  walk(filesystem, map, uses_extents, (data[0] & 4) != 0 ? std::nullopt : std::optional(contents));
  put_in_order(filesystem, map, uses_extents);
  return 0;
}
