// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

namespace e2qcow::ext2 {

constexpr std::uint32_t kXattrMagic = 0xea020000;
constexpr std::size_t kXattrBlockHeader = 32;
constexpr std::size_t kXattrEntryHead = 16;

// What stands for the first part of a name. Source: the kernel's fs/ext4/xattr.h, EXT4_XATTR_INDEX_...
enum class XattrPrefix : std::uint8_t {
  user = 1,
  acl_access = 2,   // the whole name
  acl_default = 3,  // the same
  trusted = 4,
  security = 6,
  system = 7,
  encryption = 9,
  verity = 11
};

// The names, without their prefixes, that programs give and not people. No name is one, too.
std::span<const std::string_view> well_known_xattr_names();
bool is_well_known_xattr(XattrPrefix prefix, std::string_view name);

// An entry of a list of extended attributes. Source of the fields: <ext2fs/ext2_ext_attr.h>
struct XattrEntry {
  XattrPrefix prefix;
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
