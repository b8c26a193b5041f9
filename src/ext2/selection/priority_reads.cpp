// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/selection/priority_reads.h"

#include <algorithm>

#include "base/stop.h"
#include "ext2/selection/class_priorities.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::uint64_t kReadBytes = 1 << 20;

// The file remembers what could not be read.
void read_once(const ReadableFile& file, Extent range, std::vector<std::byte>& buffer) {
  while (!range.empty()) {
    throw_if_stopped();
    buffer.resize(std::min(range.length, kReadBytes));
    file.read(range.offset, buffer);
    range = {range.offset + buffer.size(), range.length - buffer.size()};
  }
}

}  // namespace

void read_bitmaps_first(const Filesystem& filesystem) {
  const Geometry& geometry = filesystem.geometry;
  std::vector<std::uint64_t> blocks;
  for (std::uint64_t group = 0; group < geometry.groups(); ++group) {
    blocks.push_back(filesystem.descriptors.block_bitmap(group));
    blocks.push_back(filesystem.descriptors.inode_bitmap(group));
  }
  std::ranges::sort(blocks);
  std::vector<std::byte> buffer;
  for (const std::uint64_t block : blocks)
    if (block != 0) read_once(filesystem.file, geometry.bytes(geometry.clip({block, 1})), buffer);
}

void read_metadata_first(const ReadableFile& file, std::span<const Selection::ClassRun> runs,
                         std::uint32_t block_size) {
  std::vector<std::byte> buffer;
  const std::uint64_t size = file.size();
  const auto bytes_of = [&](BlockRun blocks) {  // the device may end inside the last block
    const std::uint64_t begin = std::min(size, blocks.first * block_size);
    return Extent{begin, std::min(size, blocks.end() * block_size) - begin};
  };
  for (const auto& [wanted, is_read_first] : kClassPriorities)
    for (const auto& [blocks, block_class] : runs)
      if (is_read_first && block_class == wanted) read_once(file, bytes_of(blocks), buffer);
}

}  // namespace e2qcow::ext2
