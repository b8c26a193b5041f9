// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/file/data_cursor.h"
#include "ext2/structures/filesystem.h"
#include "ext2/structures/inode.h"

namespace e2qcow::ext2 {

// Reads inode tables, except for holes and zeros.
class InodeTableReader {
 public:
  // `filesystem` must outlive it.
  explicit InodeTableReader(const Filesystem& filesystem) : filesystem_(filesystem), data_(filesystem.file) {}

  // Whole blocks of the group's table.
  struct Part {
    std::uint64_t group;
    Extent bytes;
  };
  // The parts of these blocks of the group's table that are no holes. Cheap if the tables ascend.
  std::vector<Part> parts_of(std::uint64_t group, BlockRun blocks);

  // Calls `visit(block, first_inode, bytes)` for each block of the part that is not zeros.
  template <typename Visit>
  void for_each_block(const Part& part, Visit visit) {
    const std::uint32_t block_size = filesystem_.geometry.block_size();
    read(part);
    for (std::uint64_t position = 0; position < part.bytes.length; position += block_size) {
      const auto bytes = std::span<const std::byte>(buffer_).subspan(position, block_size);
      const std::uint64_t block = (part.bytes.offset + position) / block_size;
      if (!is_zero(bytes)) visit(block, first_inode_in(part.group, block), bytes);
    }
  }

  // Calls `visit(number, Inode)` for each inode in a block of a table that is not zeros. It has all its
  // bytes.
  template <typename Visit>
  void for_each_inode(std::uint64_t first_inode, std::span<const std::byte> block, Visit visit) const {
    const std::size_t inode_size = filesystem_.geometry.inode_size();
    for (std::size_t i = 0; i < block.size() / inode_size; ++i) {
      const auto bytes = block.subspan(i * inode_size, inode_size);
      if (!is_zero(bytes.first(EXT2_GOOD_OLD_INODE_SIZE))) visit(first_inode + i, Inode(bytes));
    }
  }
  template <typename Visit>
  void for_each_inode(const Part& part, Visit visit) {
    for_each_block(part, [&](std::uint64_t, std::uint64_t first_inode, std::span<const std::byte> bytes) {
      for_each_inode(first_inode, bytes, visit);
    });
  }

 private:
  void read(const Part& part);
  std::uint64_t first_inode_in(std::uint64_t group, std::uint64_t block) const;

  const Filesystem& filesystem_;
  DataCursor data_;
  std::vector<std::byte> buffer_;
};

// The bytes of one inode. Absent if the file system has no such inode, or its block is not on the device.
std::optional<std::vector<std::byte>> read_inode(const Filesystem& filesystem, std::uint64_t number);

}  // namespace e2qcow::ext2
