// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/structures/xattr.h"

#include <ext2fs/ext2_fs.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::size_t kExtraSize = EXT2_GOOD_OLD_INODE_SIZE;  // the offset of i_extra_isize

std::span<const std::byte> after_magic(std::span<const std::byte> bytes, std::size_t header) {
  const bool has_any = bytes.size() > header && load_le<std::uint32_t>(bytes, 0) == kXattrMagic;
  return has_any ? bytes.subspan(header) : std::span<const std::byte>();
}

// NOLINTNEXTLINE(misc-unused-using-decls): it does not see the literals
using std::string_view_literals::operator""sv;

// Source: <linux/xattr.h>
constexpr std::array kSecurity{"selinux"sv,          "capability"sv,  "ima"sv,         "evm"sv,
                               "apparmor"sv,         "SMACK64"sv,     "SMACK64EXEC"sv, "SMACK64MMAP"sv,
                               "SMACK64TRANSMUTE"sv, "SMACK64IPIN"sv, "SMACK64IPOUT"sv};
constexpr std::array kSystem{"data"sv, "richacl"sv};
constexpr std::string_view kOfEncryption = "c";
constexpr std::string_view kOfVerity = "v";

constexpr auto kAllNames = [] {
  std::array<std::string_view, kSecurity.size() + kSystem.size() + 2> names;
  auto next = std::copy(kSecurity.begin(), kSecurity.end(), names.begin());
  next = std::copy(kSystem.begin(), kSystem.end(), next);
  *next++ = kOfEncryption;
  *next = kOfVerity;
  return names;
}();

}  // namespace

std::span<const std::string_view> well_known_xattr_names() {
  return kAllNames;
}

bool is_well_known_xattr(XattrPrefix prefix, std::string_view name) {
  if (name.empty()) return true;
  switch (prefix) {
    case XattrPrefix::security:
      return std::ranges::find(kSecurity, name) != kSecurity.end();
    case XattrPrefix::system:
      return std::ranges::find(kSystem, name) != kSystem.end();
    case XattrPrefix::encryption:
      return name == kOfEncryption;
    case XattrPrefix::verity:
      return name == kOfVerity;
    default:
      return false;
  }
}

void for_each_xattr(std::span<const std::byte> entries, const std::function<void(const XattrEntry&)>& visit) {
  while (entries.size() >= kXattrEntryHead && load_le<std::uint32_t>(entries, 0) != 0) {
    const auto name_length = load_le<std::uint8_t>(entries, 0);
    const std::size_t length = round_up(kXattrEntryHead + name_length, 4);
    if (length > entries.size()) return;
    visit({static_cast<XattrPrefix>(load_le<std::uint8_t>(entries, 1)),
           {reinterpret_cast<const char*>(entries.data()) + kXattrEntryHead, name_length},
           load_le<std::uint16_t>(entries, 2),
           load_le<std::uint32_t>(entries, 4),
           load_le<std::uint32_t>(entries, 8)});
    entries = entries.subspan(length);
  }
}

std::span<const std::byte> xattrs_in_block(std::span<const std::byte> block) {
  return after_magic(block, kXattrBlockHeader);
}

std::span<const std::byte> xattrs_in_inode(std::span<const std::byte> inode) {
  if (inode.size() < kExtraSize + sizeof(std::uint16_t)) return {};
  const std::size_t begin = kExtraSize + load_le<std::uint16_t>(inode, kExtraSize);
  if (begin % 4 != 0 || begin + sizeof kXattrMagic > inode.size()) return {};
  return after_magic(inode.subspan(begin), sizeof kXattrMagic);
}

}  // namespace e2qcow::ext2
