// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ext2/structures/xattr.h"

namespace e2qcow::ext2 {

// A list of extended attributes as far as it can be replaced: up to the first entry that is none.
struct XattrList {
  explicit XattrList(std::span<const std::byte> area);

  struct Attribute {
    std::size_t offset;  // of its entry
    XattrPrefix prefix;
    std::string name;
    std::uint32_t value_offset;
    std::uint32_t value_inode;
    std::uint32_t value_size;
    std::uint32_t hash;
    bool is_well_known;
  };
  std::vector<Attribute> attributes;
  std::size_t end = 0;    // of the last entry
  bool is_whole = false;  // an entry of zeros ends it
};

// The hash of an entry: of its name, then of its value. Source: lib/ext2fs/ext_attr.c,
// ext2fs_ext_attr_hash_entry(); kernels differ in whether bytes of a name are signed (`Byte`).
template <typename Byte>
std::uint32_t hash_of_xattr_name(std::string_view name) {
  std::uint32_t hash = 0;
  for (const char c : name)
    hash = (hash << 5) ^ (hash >> 27) ^ static_cast<std::uint32_t>(static_cast<Byte>(c));
  return hash;
}
std::uint32_t hash_with_word(std::uint32_t hash, std::uint32_t word);
std::uint32_t hash_with_value(std::uint32_t hash, std::span<const std::byte> value);

// The hash of a block: made of those of its entries; 0 if one has none.
std::uint32_t hash_of_xattrs(std::span<const std::byte> area);

}  // namespace e2qcow::ext2
