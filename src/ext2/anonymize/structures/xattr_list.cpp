// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/structures/xattr_list.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes.h"

namespace e2qcow::ext2 {
namespace {

// Its numbers are text, or otherwise impossible, several at once.
bool is_no_entry(std::span<const std::byte> entry) {
  constexpr std::uint8_t kLastIndex = 12;
  constexpr std::uint32_t kLargest = 1 << 16;  // a block, and so a value that is in one
  const int faults =
      int{load_le<std::uint8_t>(entry, 1) > kLastIndex} +
      int{load_le<std::uint32_t>(entry, 4) == 0 && load_le<std::uint32_t>(entry, 8) > kLargest} +
      int{load_le<std::uint32_t>(entry, 4) != 0 && load_le<std::uint16_t>(entry, 2) != 0} +
      int{load_le<std::uint16_t>(entry, 2) % 4 != 0};
  return faults > 1;
}

}  // namespace

XattrList::XattrList(std::span<const std::byte> area) {
  while (area.size() >= end + sizeof(std::uint32_t)) {
    const auto rest = area.subspan(end);
    if (load_le<std::uint32_t>(rest, 0) == 0) {
      is_whole = true;
      break;
    }
    if (rest.size() < kXattrEntryHead) break;
    const auto name_length = load_le<std::uint8_t>(rest, 0);
    const std::size_t length = round_up(kXattrEntryHead + name_length, 4);
    if (length > rest.size() || is_no_entry(rest)) break;
    const auto prefix = static_cast<XattrPrefix>(load_le<std::uint8_t>(rest, 1));
    std::string name(reinterpret_cast<const char*>(rest.data()) + kXattrEntryHead, name_length);
    const bool is_well_known = is_well_known_xattr(prefix, name);
    attributes.push_back({end, prefix, std::move(name), load_le<std::uint16_t>(rest, 2),
                          load_le<std::uint32_t>(rest, 4), load_le<std::uint32_t>(rest, 8),
                          load_le<std::uint32_t>(rest, 12), is_well_known});
    end += length;
  }
}

std::uint32_t hash_with_word(std::uint32_t hash, std::uint32_t word) {
  return (hash << 16) ^ (hash >> 16) ^ word;
}

std::uint32_t hash_with_value(std::uint32_t hash, std::span<const std::byte> value) {
  const std::size_t whole = round_down(value.size(), sizeof(std::uint32_t));
  for (std::size_t i = 0; i < whole; i += sizeof(std::uint32_t))
    hash = hash_with_word(hash, load_le<std::uint32_t>(value, i));
  if (whole == value.size()) return hash;
  std::array<std::byte, sizeof(std::uint32_t)> last{};
  std::ranges::copy(value.subspan(whole), last.begin());
  return hash_with_word(hash, load_le<std::uint32_t>(last, 0));
}

std::uint32_t hash_of_xattrs(std::span<const std::byte> area) {
  std::uint32_t hash = 0;
  for (const XattrList::Attribute& attribute : XattrList(area).attributes) {
    if (attribute.hash == 0) return 0;
    hash = hash_with_word(hash, attribute.hash);
  }
  return hash;
}

}  // namespace e2qcow::ext2
