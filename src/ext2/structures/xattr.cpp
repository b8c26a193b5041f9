// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/structures/xattr.h"

#include <ext2fs/ext2_fs.h>

#include <algorithm>

#include "base/bytes.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::uint32_t kMagic = 0xea020000;
constexpr std::size_t kBlockHeader = 32;
constexpr std::size_t kEntryHead = 16;
constexpr std::size_t kExtraSize = EXT2_GOOD_OLD_INODE_SIZE;  // the offset of i_extra_isize

std::span<const std::byte> after_magic(std::span<const std::byte> bytes, std::size_t header) {
  const bool has_any = bytes.size() > header && load_le<std::uint32_t>(bytes, 0) == kMagic;
  return has_any ? bytes.subspan(header) : std::span<const std::byte>();
}

}  // namespace

void for_each_xattr(std::span<const std::byte> entries, const std::function<void(const XattrEntry&)>& visit) {
  while (entries.size() >= kEntryHead && load_le<std::uint32_t>(entries, 0) != 0) {
    const auto name_length = load_le<std::uint8_t>(entries, 0);
    const std::size_t length = round_up(kEntryHead + name_length, 4);
    if (length > entries.size()) return;
    visit({load_le<std::uint8_t>(entries, 1),
           {reinterpret_cast<const char*>(entries.data()) + kEntryHead, name_length},
           load_le<std::uint16_t>(entries, 2),
           load_le<std::uint32_t>(entries, 4),
           load_le<std::uint32_t>(entries, 8)});
    entries = entries.subspan(length);
  }
}

std::span<const std::byte> xattrs_in_block(std::span<const std::byte> block) {
  return after_magic(block, kBlockHeader);
}

std::span<const std::byte> xattrs_in_inode(std::span<const std::byte> inode) {
  if (inode.size() < kExtraSize + sizeof(std::uint16_t)) return {};
  const std::size_t begin = kExtraSize + load_le<std::uint16_t>(inode, kExtraSize);
  if (begin % 4 != 0 || begin + sizeof kMagic > inode.size()) return {};
  return after_magic(inode.subspan(begin), sizeof kMagic);
}

}  // namespace e2qcow::ext2
