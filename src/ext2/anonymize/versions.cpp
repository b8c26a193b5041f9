// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/versions.h"

#include <utility>

#include "ext2/structures/inode_table_reader.h"

namespace e2qcow::ext2 {

std::vector<std::vector<std::byte>> Versions::of_inode(std::uint32_t inode) const {
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

std::vector<std::vector<std::byte>> Versions::of_block(std::uint64_t block) const {
  std::vector<std::uint64_t> places = journal_.copies_of(block);
  places.push_back(block);
  std::vector<std::vector<std::byte>> versions;
  for (const std::uint64_t place : places) {
    versions.emplace_back(filesystem_.geometry.block_size());
    filesystem_.file.read(filesystem_.geometry.bytes({place, 1}).offset, versions.back());
  }
  return versions;
}

}  // namespace e2qcow::ext2
