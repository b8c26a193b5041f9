// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/structures/inode_table_reader.h"

#include <algorithm>

#include "base/stop.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::uint64_t kTableReadBytes = 256 * 1024;  // at a time: fits in a processor's cache

}  // namespace

std::vector<InodeTableReader::Part> InodeTableReader::parts_of(std::uint64_t group, BlockRun blocks) {
  const Geometry& geometry = filesystem_.geometry;
  const Extent table = geometry.bytes(blocks);
  std::vector<Part> parts;
  std::uint64_t position = table.offset;
  data_.for_each_in(table, [&](Extent data) {
    const std::uint64_t end = round_up(data.end(), geometry.block_size());
    position = std::max(position, round_down(data.offset, geometry.block_size()));
    for (; position < end; position += parts.back().bytes.length)
      parts.push_back({group, {position, std::min(kTableReadBytes, end - position)}});
  });
  return parts;
}

void InodeTableReader::read(const Part& part) {
  throw_if_stopped();
  buffer_.resize(part.bytes.length);
  filesystem_.file.read(part.bytes.offset, buffer_);
}

std::uint64_t InodeTableReader::first_inode_in(std::uint64_t group, std::uint64_t block) const {
  const Geometry& geometry = filesystem_.geometry;
  const std::uint64_t index =
      (block - filesystem_.descriptors.inode_table(group)) * (geometry.block_size() / geometry.inode_size());
  return group * geometry.inodes_per_group() + index + 1;
}

std::optional<std::vector<std::byte>> read_inode(const Filesystem& filesystem, std::uint64_t number) {
  const Geometry& geometry = filesystem.geometry;
  const auto place = geometry.place_of_inode(number);
  if (!place) return std::nullopt;
  const std::uint64_t byte = place->index * geometry.inode_size();
  const BlockRun table{filesystem.descriptors.inode_table(place->group), byte / geometry.block_size() + 1};
  if (table.first == 0 || geometry.clip(table) != table) return std::nullopt;
  std::vector<std::byte> bytes(EXT2_GOOD_OLD_INODE_SIZE);
  filesystem.file.read(geometry.bytes(table).offset + byte, bytes);
  return bytes;
}

}  // namespace e2qcow::ext2
