// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/structures/xattrs.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/hashing.h"
#include "ext2/anonymize/replacement/candidate_names.h"
#include "ext2/anonymize/replacement/patch_checksum.h"
#include "ext2/anonymize/structures/xattr_list.h"
#include "ext2/anonymize/structures/xattr_values.h"

namespace e2qcow::ext2 {
namespace {

using Attribute = XattrList::Attribute;

class Anonymizer {
 public:
  Anonymizer(const XattrArea& area, Tally& tally)
      : area_(area), tally_(tally), before_(area.bytes.begin(), area.bytes.end()), list_(before_) {}

  void run() {
    clear(area_.bytes);
    if (!list_.is_whole) mark_as_broken();
    const auto names = new_names();
    for (std::size_t i = 0; i < list_.attributes.size(); ++i) {
      const Attribute& attribute = list_.attributes[i];
      std::memcpy(area_.bytes.data() + attribute.offset, before_.data() + attribute.offset, kXattrEntryHead);
      std::memcpy(area_.bytes.data() + attribute.offset + kXattrEntryHead, names[i].data(), names[i].size());
      put_value(attribute);
    }
    for (std::size_t i = 0; i < list_.attributes.size(); ++i) put_hash(list_.attributes[i], names[i]);
  }

 private:
  // Where the list breaks off, it still does: a name that is too long for what is left.
  void mark_as_broken() {
    constexpr std::size_t kLongestEntry = kXattrEntryHead + 256;
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
    const bool is_of_acl =
        attribute.prefix == XattrPrefix::acl_access || attribute.prefix == XattrPrefix::acl_default;
    if (is_of_acl && attribute.name.empty() && is_acl(old)) {
      std::ranges::copy(old, value.begin());
      replace_owners(value, area_.strict);
    }
    if (attribute.prefix == XattrPrefix::encryption && attribute.name == "c") {
      std::ranges::copy(old, value.begin());
      replace_encryption_context(value, area_.contexts);
    }
    if (attribute.prefix == XattrPrefix::system && attribute.name == "data") {
      std::ranges::copy(old, value.begin());
      area_.replace_data(value, tally_);
    }
  }

  // In a block, entries are sorted by index, length and name, and the kernel relies on it: among the names of
  // one index and length, new ones have the order of the old ones.
  std::vector<std::string> new_names() {
    std::map<std::pair<XattrPrefix, std::size_t>, std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < list_.attributes.size(); ++i)
      groups[{list_.attributes[i].prefix, list_.attributes[i].name.size()}].push_back(i);
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
          std::ranges::find_if(members, [&](std::size_t i) { return list_.attributes[i].is_well_known; });
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
      const Secret::Words words = area_.secret.hash(old);
      std::string candidate(old.size(), '\0');
      constexpr std::uint64_t kMostDraws = 10'000;
      for (std::uint64_t draw = 0; draw < kMostDraws; ++draw) {
        NameDraws draws({combined_hash(words.first, draw), combined_hash(words.second, draw)}, kMixed);
        draws.begin(candidate);
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
          with_value(hash_of_xattr_name<unsigned char>(name), attribute, area_.bytes, value.after);
      for (const std::uint32_t of_name : {hash_of_xattr_name<unsigned char>(attribute.name),
                                          hash_of_xattr_name<signed char>(attribute.name)}) {
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
  const XattrList list_;
  const std::string* last_known_ = nullptr;
};

}  // namespace

void anonymize_xattrs(const XattrArea& area, Tally& tally) {
  Anonymizer(area, tally).run();
}

void anonymize_xattr_block(const XattrArea& area, const Checksums& checksums, std::span<std::byte> block,
                           Tally& tally) {
  constexpr std::size_t kHash = 12;
  constexpr std::size_t kChecksum = 16;
  if (load_le<std::uint32_t>(block, 0) != kXattrMagic) {
    ++tally.not_parsed;
    return clear(block);
  }
  const std::vector<std::byte> before(block.begin(), block.end());
  const auto old_area = std::span<const std::byte>(before).subspan(kXattrBlockHeader);
  anonymize_xattrs(area, tally);
  store_le(block, kHash,
           load_le<std::uint32_t>(before, kHash) ^ hash_of_xattrs(old_area) ^ hash_of_xattrs(area.bytes));
  clear(block.subspan(kChecksum + 4, kXattrBlockHeader - kChecksum - 4));
  if (!checksums.exist) return store_le(block, kChecksum, std::uint32_t{0});
  auto summed = before;
  store_le(std::span(summed), kChecksum, std::uint32_t{0});
  store_le(block, kChecksum, std::uint32_t{0});
  const std::uint32_t so_far = checksums.seed.after(SeedDifference::kBlockNumber);
  store_le(block, kChecksum,
           load_le<std::uint32_t>(before, kChecksum) ^ crc_difference(summed, block, so_far));
}

}  // namespace e2qcow::ext2
