// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/xattrs.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "ext2/anonymize/candidate_names.h"
#include "ext2/anonymize/patch_checksum.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::size_t kEntryHead = 16;
constexpr std::size_t kBlockHeader = 32;
constexpr std::uint32_t kMagic = 0xea020000;

enum NameIndex : std::uint8_t {
  kUser = 1,
  kAclAccess = 2,
  kAclDefault = 3,
  kTrusted = 4,
  kSecurity = 6,
  kSystem = 7,
  kEncryption = 9,
  kVerity = 11
};

struct KnownName {
  std::uint8_t index;
  std::string_view name;
};
// Names that programs give, and not people.
constexpr std::array kKnownNames{
    KnownName{kSecurity, "selinux"},
    KnownName{kSecurity, "capability"},
    KnownName{kSecurity, "ima"},
    KnownName{kSecurity, "evm"},
    KnownName{kSecurity, "apparmor"},
    KnownName{kSecurity, "SMACK64"},
    KnownName{kSecurity, "SMACK64EXEC"},
    KnownName{kSecurity, "SMACK64MMAP"},
    KnownName{kSecurity, "SMACK64TRANSMUTE"},
    KnownName{kSystem, "data"},
    KnownName{kSystem, "richacl"},
    KnownName{kEncryption, "c"},
    KnownName{kVerity, "v"},
};

bool is_known(std::uint8_t index, std::string_view name) {
  return name.empty() || std::ranges::any_of(kKnownNames, [&](const KnownName& known) {
           return known.index == index && known.name == name;
         });
}

struct Attribute {
  std::size_t offset;  // of its entry
  std::uint8_t index;
  std::string name;
  std::uint32_t value_offset;
  std::uint32_t value_inode;
  std::uint32_t value_size;
  std::uint32_t hash;
  bool is_known;
};

struct List {
  std::vector<Attribute> attributes;
  std::size_t end = 0;
  bool is_whole = false;
};

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

List parse(std::span<const std::byte> area) {
  List list;
  while (area.size() >= list.end + sizeof(std::uint32_t)) {
    const auto rest = area.subspan(list.end);
    if (load_le<std::uint32_t>(rest, 0) == 0) {
      list.is_whole = true;
      break;
    }
    if (rest.size() < kEntryHead) break;
    const auto name_length = load_le<std::uint8_t>(rest, 0);
    const std::size_t length = round_up(kEntryHead + name_length, 4);
    if (length > rest.size() || is_no_entry(rest)) break;
    const auto index = load_le<std::uint8_t>(rest, 1);
    std::string name(reinterpret_cast<const char*>(rest.data()) + kEntryHead, name_length);
    const bool known = is_known(index, name);
    list.attributes.push_back({list.end, index, std::move(name), load_le<std::uint16_t>(rest, 2),
                               load_le<std::uint32_t>(rest, 4), load_le<std::uint32_t>(rest, 8),
                               load_le<std::uint32_t>(rest, 12), known});
    list.end += length;
  }
  return list;
}

// Kernels differ in whether bytes of a name are signed.
template <typename Byte>
std::uint32_t hash_of_name(std::string_view name) {
  std::uint32_t hash = 0;
  for (const char c : name)
    hash = (hash << 5) ^ (hash >> 27) ^ static_cast<std::uint32_t>(static_cast<Byte>(c));
  return hash;
}

std::uint32_t hash_with_word(std::uint32_t hash, std::uint32_t word) {
  return (hash << 16) ^ (hash >> 16) ^ word;
}

std::uint32_t hash_with_value(std::uint32_t hash, std::span<const std::byte> value) {
  for (std::size_t i = 0; i < value.size(); i += sizeof(std::uint32_t)) {
    std::array<std::byte, sizeof(std::uint32_t)> word{};
    std::ranges::copy(value.subspan(i, std::min(word.size(), value.size() - i)), word.begin());
    hash = hash_with_word(hash, load_le<std::uint32_t>(word, 0));
  }
  return hash;
}

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

// It has such entries and nothing else.
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

void replace_owners(const StrictRules& strict, std::span<std::byte> acl) {
  for (auto rest = acl.subspan(kAclHeader); !rest.empty(); rest = rest.subspan(length_of(rest)))
    if (has_id(rest))
      store_le(rest, kAclId, strict.owner(load_le<std::uint32_t>(std::span<const std::byte>(rest), kAclId)));
}

// Version, modes and flags stay; what identifies the key is replaced, so that equal ones stay equal.
// Source: the kernel's fs/crypto/fscrypt_private.h, union fscrypt_context
void replace_encryption_context(const Secret& secret, std::span<std::byte> value) {
  const auto version = value.empty() ? 0 : load_le<std::uint8_t>(value, 0);
  const bool is_v1 = version == 1 && value.size() == 28;
  const bool is_v2 = version == 2 && value.size() == 40;
  if (!is_v1 && !is_v2) return clear(value);
  const auto key = is_v1 ? value.subspan(4, 8) : value.subspan(8, 16);
  if (is_v2) clear(value.subspan(5, 3));
  secret.replace(key);
  secret.replace(value.last(16));
}

class Anonymizer {
 public:
  Anonymizer(const XattrArea& area, Tally& tally)
      : area_(area), tally_(tally), before_(area.bytes.begin(), area.bytes.end()), list_(parse(before_)) {}

  void run() {
    clear(area_.bytes);
    if (!list_.is_whole) mark_as_broken();
    const auto names = new_names();
    for (std::size_t i = 0; i < list_.attributes.size(); ++i) {
      const Attribute& attribute = list_.attributes[i];
      std::memcpy(area_.bytes.data() + attribute.offset, before_.data() + attribute.offset, kEntryHead);
      std::memcpy(area_.bytes.data() + attribute.offset + kEntryHead, names[i].data(), names[i].size());
      put_value(attribute);
    }
    for (std::size_t i = 0; i < list_.attributes.size(); ++i) put_hash(list_.attributes[i], names[i]);
  }

 private:
  // Where the list breaks off, it still does: a name that is too long for what is left.
  void mark_as_broken() {
    constexpr std::size_t kLongestEntry = kEntryHead + 256;
    const auto rest = area_.bytes.subspan(list_.end);
    if (rest.size() >= sizeof(std::uint32_t) && rest.size() < kLongestEntry) rest[0] = std::byte{0xff};
    ++tally_.not_parsed;
  }

  // Where the value is, if it is in the area, behind the entries.
  std::optional<std::pair<std::size_t, std::size_t>> place_of_value(const Attribute& attribute) const {
    if (attribute.value_inode != 0 || attribute.value_offset < area_.values_begin) return std::nullopt;
    const std::size_t offset = attribute.value_offset - area_.values_begin;
    if (offset < list_.end || offset > before_.size() || attribute.value_size > before_.size() - offset)
      return std::nullopt;
    return std::pair(offset, std::size_t{attribute.value_size});
  }

  void put_value(const Attribute& attribute) {
    const auto place = place_of_value(attribute);
    if (!place) return;
    ++tally_.replaced;
    const auto old = std::span<const std::byte>(before_).subspan(place->first, place->second);
    const auto value = area_.bytes.subspan(place->first, place->second);
    const bool is_of_acl = attribute.index == kAclAccess || attribute.index == kAclDefault;
    if (is_of_acl && attribute.name.empty() && is_acl(old)) {
      std::ranges::copy(old, value.begin());
      replace_owners(area_.strict, value);
    }
    if (attribute.index == kEncryption && attribute.name == "c") {
      std::ranges::copy(old, value.begin());
      replace_encryption_context(area_.contexts, value);
    }
    if (attribute.index == kSystem && attribute.name == "data") {
      std::ranges::copy(old, value.begin());
      area_.replace_data(value, tally_);
    }
  }

  // In a block, entries are sorted by index, length and name, and the kernel relies on it: among the names of
  // one index and length, new ones have the order of the old ones.
  std::vector<std::string> new_names() {
    std::map<std::pair<std::uint8_t, std::size_t>, std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < list_.attributes.size(); ++i)
      groups[{list_.attributes[i].index, list_.attributes[i].name.size()}].push_back(i);
    std::vector<std::string> names(list_.attributes.size());
    for (auto& [key, members] : groups) {
      std::ranges::stable_sort(members, {},
                               [&](std::size_t i) -> const std::string& { return list_.attributes[i].name; });
      name_group(members, names);
    }
    return names;
  }

  // Known names stay, and the new ones keep to their side of them.
  void name_group(std::span<const std::size_t> members, std::vector<std::string>& names) {
    while (!members.empty()) {
      const auto next_known =
          std::ranges::find_if(members, [&](std::size_t i) { return list_.attributes[i].is_known; });
      const auto unknown = members.first(static_cast<std::size_t>(next_known - members.begin()));
      const std::string* end = next_known == members.end() ? nullptr : &list_.attributes[*next_known].name;
      name_unknown(unknown, last_known_, end, names);
      members = members.subspan(unknown.size());
      last_known_ = end;
      if (end == nullptr) break;
      names[members.front()] = *end;
      members = members.subspan(1);
    }
    last_known_ = nullptr;
  }

  void name_unknown(std::span<const std::size_t> members, const std::string* after, const std::string* before,
                    std::vector<std::string>& names) {
    std::set<std::string> drawn;
    std::map<std::string, std::string> of_equal;  // names that a damaged list has twice
    for (const std::size_t i : members) {
      const std::string& old = list_.attributes[i].name;
      if (of_equal.contains(old)) continue;
      NameDraws draws(area_.secret.hash(old), kMixed);
      std::string candidate(old.size(), '\0');
      constexpr int kMostDraws = 10'000;
      for (int draw = 0; draw < kMostDraws; ++draw) {
        draws.next(candidate);
        const bool fits =
            (after == nullptr || *after < candidate) && (before == nullptr || candidate < *before);
        if (fits && !drawn.contains(candidate)) break;
      }
      drawn.insert(candidate);
      of_equal.emplace(old, "");
      ++tally_.replaced;
    }
    auto next = drawn.begin();
    for (auto& [old, name] : of_equal) {
      name = next == drawn.end() ? *drawn.rbegin() : *next;
      if (next != drawn.end()) ++next;
    }
    for (const std::size_t i : members) names[i] = of_equal[list_.attributes[i].name];
  }

  // `checksum` is that of a value in an inode.
  std::uint32_t with_value(std::uint32_t hash, const Attribute& attribute, std::span<const std::byte> bytes,
                           std::uint32_t checksum) const {
    if (attribute.value_inode != 0) return attribute.value_size == 0 ? hash : hash_with_word(hash, checksum);
    const auto place = place_of_value(attribute);
    if (!place) return hash;
    const std::size_t padded = round_up(place->second, sizeof(std::uint32_t));  // the pad counts
    return hash_with_value(hash, bytes.subspan(place->first, std::min(padded, bytes.size() - place->first)));
  }

  // What is right for a version of the value, as the attribute is now: for the one that it fits, or the
  // first.
  ValueChecksum hashes_of(const Attribute& attribute, const std::string& name) const {
    std::vector<ValueChecksum> values{{0, 0}};
    if (attribute.value_inode != 0) values = area_.checksums_of_value(attribute.value_inode);
    std::optional<ValueChecksum> first;
    for (const ValueChecksum& value : values) {
      const std::uint32_t after =
          with_value(hash_of_name<unsigned char>(name), attribute, area_.bytes, value.after);
      for (const std::uint32_t of_name :
           {hash_of_name<unsigned char>(attribute.name), hash_of_name<signed char>(attribute.name)}) {
        const std::uint32_t before = with_value(of_name, attribute, before_, value.before);
        if (before == attribute.hash) return {before, after};
        if (!first) first = {before, after};
      }
    }
    return first.value_or(ValueChecksum{0, 0});
  }

  // A hash of 0 means that there is none.
  void put_hash(const Attribute& attribute, const std::string& name) {
    if (attribute.hash == 0) return;
    const auto [before, after] = hashes_of(attribute, name);
    store_le(area_.bytes, attribute.offset + 12, after ^ attribute.hash ^ before);
  }

  const XattrArea& area_;
  Tally& tally_;
  const std::vector<std::byte> before_;
  const List list_;
  const std::string* last_known_ = nullptr;
};

// Of a block: made of those of its entries; 0 if one has none.
std::uint32_t hash_of_all(std::span<const std::byte> area) {
  std::uint32_t hash = 0;
  for (const Attribute& attribute : parse(area).attributes) {
    if (attribute.hash == 0) return 0;
    hash = hash_with_word(hash, attribute.hash);
  }
  return hash;
}

}  // namespace

void anonymize_xattrs(const XattrArea& area, Tally& tally) {
  Anonymizer(area, tally).run();
}

void anonymize_xattr_block(const XattrArea& area, const Checksums& checksums, std::span<std::byte> block,
                           Tally& tally) {
  constexpr std::size_t kHash = 12;
  constexpr std::size_t kChecksum = 16;
  if (load_le<std::uint32_t>(block, 0) != kMagic) {
    ++tally.not_parsed;
    return clear(block);
  }
  const std::vector<std::byte> before(block.begin(), block.end());
  const auto old_area = std::span<const std::byte>(before).subspan(kBlockHeader);
  anonymize_xattrs(area, tally);
  store_le(block, kHash,
           load_le<std::uint32_t>(before, kHash) ^ hash_of_all(old_area) ^ hash_of_all(area.bytes));
  clear(block.subspan(kChecksum + 4, kBlockHeader - kChecksum - 4));
  if (!checksums.exist) return store_le(block, kChecksum, std::uint32_t{0});
  auto summed = before;
  store_le(std::span(summed), kChecksum, std::uint32_t{0});
  store_le(block, kChecksum, std::uint32_t{0});
  const std::uint32_t so_far = checksums.seed.after(SeedDifference::kBlockNumber);
  store_le(block, kChecksum,
           load_le<std::uint32_t>(before, kChecksum) ^ crc_difference(summed, block, so_far));
}

}  // namespace e2qcow::ext2
