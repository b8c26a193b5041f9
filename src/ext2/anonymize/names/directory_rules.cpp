// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/names/directory_rules.h"

#include <ext2fs/ext2_fs.h>

#include <algorithm>

namespace e2qcow::ext2 {
namespace {

constexpr std::size_t kLeastLength = 4;  // an entry has room for it in any case
// No tree that was not damaged has cells for which so many names must be drawn.
constexpr double kMostDraws = 1 << 16;
constexpr double kPatience = 30;  // times as many as are needed on the average

bool is_fixed(char byte) {
  return byte == '/' || byte == '\0';
}

const DirectoryRules::Number* find(const std::vector<DirectoryRules::Number>& numbers,
                                   std::uint64_t fingerprint) {
  const auto found = std::ranges::lower_bound(numbers, fingerprint, {}, &DirectoryRules::Number::fingerprint);
  return found != numbers.end() && found->fingerprint == fingerprint ? &*found : nullptr;
}

// A name may be in the leaf before the one that begins with its hash, if that has others of this hash.
bool is_at_the_end(std::span<const std::uint32_t> hashes, std::uint32_t hash) {
  const auto less = std::ranges::count_if(hashes, [&](std::uint32_t other) { return other < hash; });
  const auto more = std::ranges::count_if(hashes, [&](std::uint32_t other) { return other > hash; });
  return less > more;
}

bool is_half_md4(std::uint8_t version) {
  return version == EXT2_HASH_HALF_MD4 || version == EXT2_HASH_HALF_MD4_UNSIGNED;
}

NameHash with_version(NameHash hash, std::uint8_t version) {
  hash.version = version;
  return hash;
}

}  // namespace

DirectoryNamer::DirectoryNamer(const Naming& naming, const DirectoryRules& rules)
    : rules_(rules),
      secret_(naming.secret.derived("directory", rules.inode)),
      old_hash_(with_version(naming.old_hash, rules.hash_version)),
      new_hash_(with_version(naming.new_hash, rules.hash_version)),
      many_hashes_(new_hash_.seed) {
  if ((rules.flags & EXT4_CASEFOLD_FL) == 0) old_hash_.encoding = nullptr;
}

const Alphabet& DirectoryNamer::alphabet() const {
  return (rules_.flags & EXT4_CASEFOLD_FL) != 0 ? kFolded : kMixed;
}

bool DirectoryNamer::is_kept(std::string_view name) const {
  return name.empty() || name == "." || name == ".." ||
         (rules_.inode == EXT2_ROOT_INO && name == "lost+found");
}

std::vector<std::uint32_t> DirectoryNamer::cells_of(std::span<const std::string_view> names) const {
  if (!rules_.cells.are_needed()) return {};
  std::vector<std::uint32_t> hashes;
  for (const std::string_view name : names) hashes.push_back(old_hash_.of(name).value_or(0));
  std::vector<std::uint32_t> cells;
  for (const std::uint32_t hash : hashes) {
    cells.push_back(rules_.cells.cell_of(hash));
    if (cells.back() > 0 && rules_.cells.is_boundary(hash) && is_at_the_end(hashes, hash)) --cells.back();
  }
  return cells;
}

std::size_t DirectoryNamer::new_length(std::string_view name) const {
  if (name.size() >= kLeastLength) return name.size();
  return std::ranges::binary_search(rules_.tiny, fingerprint(name)) ? name.size() : kLeastLength;
}

bool DirectoryNamer::has_fixed_bytes(std::string_view name) {
  return std::ranges::any_of(name, is_fixed);
}

NumberedNames DirectoryNamer::numbered_names(std::size_t length) const {
  return {secret_, alphabet(), length};
}

std::uint32_t DirectoryNamer::cell_of_new(std::string_view new_name) const {
  return rules_.cells.are_needed() ? rules_.cells.cell_of(new_hash_.of(new_name).value_or(0)) : 0;
}

void DirectoryNamer::put_fixed_bytes(std::string_view name, std::span<char> candidate) const {
  for (std::size_t i = 0; i < name.size(); ++i)
    if (is_fixed(name[i])) candidate[i] = name[i];
}

// As draw() does it, a few candidates at a time.
DirectoryNamer::Replacement DirectoryNamer::draw_several(std::string_view name, std::uint32_t cell,
                                                         std::uint64_t skipped, double most) const {
  NameDraws draws(secret_.hash(name), alphabet());
  const bool has_fixed = has_fixed_bytes(name);
  const std::size_t length = new_length(name);
  std::string candidates(HalfMd4::kNames * length, '\0');
  for (std::size_t i = 0; i < HalfMd4::kNames; ++i)
    draws.begin(std::span(candidates).subspan(i * length, length));
  for (double drawn = 0; drawn < most; drawn += HalfMd4::kNames) {
    for (std::size_t i = 0; i < HalfMd4::kNames; ++i) {
      const auto candidate = std::span(candidates).subspan(i * length, length);
      draws.next(candidate);
      if (has_fixed) put_fixed_bytes(name, candidate);
    }
    const HalfMd4::Hashes hashes = many_hashes_.of(candidates, length);
    for (std::size_t i = 0; i < HalfMd4::kNames; ++i)
      if (rules_.cells.is_in(cell, hashes[i])) {
        if (skipped == 0) return {candidates.substr(i * length, length), true};
        --skipped;
      }
  }
  return {candidates.substr(0, length), false};
}

DirectoryNamer::Replacement DirectoryNamer::draw(std::string_view name, std::uint32_t cell,
                                                 std::uint64_t skipped) const {
  const double needed = rules_.cells.are_needed() ? rules_.cells.draws_for(cell) : 1;
  const double most = needed > kMostDraws ? 1 : kPatience * needed * static_cast<double>(skipped + 1);
  if (needed > 1 && is_half_md4(rules_.hash_version)) return draw_several(name, cell, skipped, most);
  NameDraws draws(secret_.hash(name), alphabet());
  std::string candidate(new_length(name), '\0');
  draws.begin(candidate);
  for (double drawn = 0; drawn < most; ++drawn) {
    draws.next(candidate);
    put_fixed_bytes(name, candidate);
    if (cell_of_new(candidate) != cell) continue;
    if (skipped == 0) return {candidate, true};
    --skipped;
  }
  return {candidate, false};
}

DirectoryNamer::Replacement DirectoryNamer::replacement(std::string_view name, std::uint32_t cell) const {
  if (is_kept(name)) return {std::string(name), true};
  const std::uint64_t number = fingerprint(name);
  if (std::ranges::binary_search(rules_.unplaced, number)) return {draw(name, cell, 0).name, false};
  if (const auto* numbered = find(rules_.numbered, number)) {
    std::string result(new_length(name), '\0');
    numbered_names(result.size()).get(numbered->number, result);
    return {std::move(result), true};
  }
  const auto* later = find(rules_.later, number);
  return draw(name, cell, later == nullptr ? 0 : later->number);
}

}  // namespace e2qcow::ext2
