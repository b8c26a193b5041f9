// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/structures/xattr_values.h"

#include "base/bytes.h"

namespace e2qcow::ext2 {
namespace {

// Entries of an ACL: ids and permissions. Source: the kernel's fs/ext4/acl.h
constexpr std::size_t kAclHeader = 4;
constexpr std::size_t kAclId = 4;  // where it is in an entry
bool has_id(std::span<const std::byte> acl_entry) {
  const auto tag = load_le<std::uint16_t>(acl_entry, 0);
  return tag == 2 || tag == 8;
}
std::size_t length_of(std::span<const std::byte> acl_entry) {
  return has_id(acl_entry) ? 8 : 4;
}

}  // namespace

bool is_acl(std::span<const std::byte> value) {
  constexpr std::uint32_t kVersion = 1;
  if (value.size() < kAclHeader || load_le<std::uint32_t>(value, 0) != kVersion) return false;
  for (value = value.subspan(kAclHeader); value.size() >= 4;) {
    const auto tag = load_le<std::uint16_t>(value, 0);
    const bool is_short = tag == 1 || tag == 4 || tag == 16 || tag == 32;
    const std::size_t length = length_of(value);
    if (!(has_id(value) || is_short) || load_le<std::uint16_t>(value, 2) > 7 || value.size() < length)
      return false;
    value = value.subspan(length);
  }
  return value.empty();
}

void replace_owners(std::span<std::byte> acl, const StrictRules& strict) {
  for (auto rest = acl.subspan(kAclHeader); !rest.empty(); rest = rest.subspan(length_of(rest)))
    if (has_id(rest))
      store_le(rest, kAclId, strict.owner(load_le<std::uint32_t>(std::span<const std::byte>(rest), kAclId)));
}

// Source: the kernel's fs/crypto/fscrypt_private.h, union fscrypt_context
void replace_encryption_context(std::span<std::byte> value, const Secret& secret) {
  const auto version = value.empty() ? 0 : load_le<std::uint8_t>(value, 0);
  const bool is_v1 = version == 1 && value.size() == 28;
  const bool is_v2 = version == 2 && value.size() == 40;
  if (!is_v1 && !is_v2) return clear(value);
  const auto key = is_v1 ? value.subspan(4, 8) : value.subspan(8, 16);
  if (is_v2) clear(value.subspan(5, 3));
  secret.replace(key);
  secret.replace(value.last(16));
}

}  // namespace e2qcow::ext2
