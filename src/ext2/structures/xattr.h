// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

namespace e2qcow::ext2 {

// An entry of a list of extended attributes. Source of the fields: <ext2fs/ext2_ext_attr.h>
struct XattrEntry {
  std::uint8_t name_index;
  std::string_view name;
  std::uint32_t value_offset;  // bytes, from the beginning of the block, or of the first entry in an inode
  std::uint32_t value_inode;   // that holds the value; 0: it is at value_offset
  std::uint32_t value_size;
};

// Calls `visit` for each entry in the list, up to the first invalid one.
void for_each_xattr(std::span<const std::byte> entries, const std::function<void(const XattrEntry&)>& visit);

// The lists in a block and in an inode of which all bytes are there; empty if there is none.
std::span<const std::byte> xattrs_in_block(std::span<const std::byte> block);
std::span<const std::byte> xattrs_in_inode(std::span<const std::byte> inode);

}  // namespace e2qcow::ext2
