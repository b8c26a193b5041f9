// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/names/directory_plan.h"

#include <ext2fs/ext2_fs.h>

#include <algorithm>
#include <unordered_set>

#include "base/bytes.h"
#include "base/stop.h"
#include "ext2/anonymize/names/index_block.h"
#include "ext2/structures/directory.h"

namespace e2qcow::ext2 {
namespace {

// Longer names do not meet by chance: there are 2 to the power of 60 of ten characters.
constexpr std::size_t kShortName = 10;
constexpr std::size_t kShortFoldedName = 12;

struct SeenName {
  std::uint64_t fingerprint;
  std::uint32_t cell;
  std::uint8_t length;  // of the new name
};

struct ShortName {
  std::uint64_t fingerprint;
  std::uint32_t cell;
  std::string name;
};

// Calls back for each block.
template <typename Visit>
void for_each_block(const Filesystem& filesystem, const DirectoryParts& parts, Visit visit) {
  constexpr std::uint64_t kBlocksAtATime = 64;
  const std::uint32_t block_size = filesystem.geometry.block_size();
  std::vector<std::byte> bytes;
  for (const BlockRun& run : parts.blocks)
    for (std::uint64_t done = 0; done < run.count; done += kBlocksAtATime) {
      throw_if_stopped();
      const BlockRun part{run.first + done, std::min(kBlocksAtATime, run.count - done)};
      bytes.resize(part.count * block_size);
      filesystem.file.read(filesystem.geometry.bytes(part).offset, bytes);
      for (std::size_t i = 0; i < part.count; ++i)
        visit(std::span<const std::byte>(bytes).subspan(i * block_size, block_size));
    }
}

class Planner {
 public:
  Planner(const Filesystem& filesystem, const Naming& naming, const DirectoryParts& parts,
          DirectoryRules rules)
      : filesystem_(filesystem), naming_(naming), parts_(parts), rules_(std::move(rules)) {}

  DirectoryRules run() && {
    find_tiny_names();
    find_names();
    if (rules_.are_numbered()) number_names();
    tell_short_names_apart();
    sort(rules_.later);
    sort(rules_.numbered);
    std::ranges::sort(rules_.unplaced);
    return std::move(rules_);
  }

 private:
  // Of the names that are sorted by fingerprint.
  template <typename Name>
  static void leave_first_of_each(std::vector<Name>& names) {
    const auto is_same = [](const Name& a, const Name& b) { return a.fingerprint == b.fingerprint; };
    names.erase(std::unique(names.begin(), names.end(), is_same), names.end());
  }
  static void sort(std::vector<DirectoryRules::Number>& numbers) {
    std::ranges::sort(numbers, {}, &DirectoryRules::Number::fingerprint);
  }

  void find_tiny_names() {
    const DirectoryNamer namer(naming_, rules_);
    for (const std::string& name : parts_.other_names)
      if (name.size() < 4) rules_.tiny.push_back(namer.fingerprint(name));
    std::ranges::sort(rules_.tiny);
  }

  void find_names() {
    const DirectoryNamer namer(naming_, rules_);
    const auto add_block = [&](std::span<const std::byte> block) {
      std::vector<std::string_view> names;
      for_each_entry(block, [&](const DirectoryEntry& entry) { names.push_back(entry.name); });
      add(namer, names);
    };
    for_each_block(filesystem_, parts_, add_block);
    for (const auto& entries : parts_.inline_entries) add_block(entries);
    for (const std::string& name : parts_.other_names) add(namer, std::vector<std::string_view>{name});
  }

  void add(const DirectoryNamer& namer, const std::vector<std::string_view>& names) {
    const bool all_drawn = !rules_.are_numbered();
    const bool wants_cells = std::ranges::any_of(
        names, [&](std::string_view name) { return !all_drawn || name.size() < short_length(); });
    if (!wants_cells) return;
    const auto cells = namer.cells_of(names);
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string_view name = names[i];
      if (namer.is_kept(name)) continue;
      const std::uint32_t cell = cells.empty() ? 0 : cells[i];
      const bool is_drawn = all_drawn || DirectoryNamer::has_fixed_bytes(name);
      const std::size_t length = namer.new_length(name);
      if (!is_drawn)
        seen_.push_back({namer.fingerprint(name), cell, static_cast<std::uint8_t>(length)});
      else if (length < short_length())
        short_.push_back({namer.fingerprint(name), cell, std::string(name)});
    }
  }

  std::size_t short_length() const {
    return (rules_.flags & EXT4_CASEFOLD_FL) != 0 ? kShortFoldedName : kShortName;
  }

  // In an order that depends on the secret alone. The first of two wins.
  void tell_short_names_apart() {
    const DirectoryNamer namer(naming_, rules_);
    const auto order = [](const ShortName& name) { return std::pair(name.fingerprint, name.cell); };
    std::ranges::sort(short_, {}, order);
    leave_first_of_each(short_);
    std::unordered_set<std::string> taken;
    for (const ShortName& name : short_) {
      throw_if_stopped();
      std::uint64_t skipped = 0;
      auto drawn = namer.draw(name.name, name.cell, skipped);
      constexpr std::uint64_t kMostSkipped = 64;
      while (drawn.is_placed && skipped < kMostSkipped && !taken.insert(drawn.name).second)
        drawn = namer.draw(name.name, name.cell, ++skipped);
      if (!drawn.is_placed || skipped == kMostSkipped)
        rules_.unplaced.push_back(name.fingerprint);
      else if (skipped > 0)
        rules_.later.push_back({name.fingerprint, skipped});
    }
  }

  // Names of one length are drawn one after the other, and each goes to the next old name that needs one in
  // its cell.
  void number_names() {
    const DirectoryNamer namer(naming_, rules_);
    std::ranges::sort(seen_, {}, [](const SeenName& name) { return std::pair(name.fingerprint, name.cell); });
    leave_first_of_each(seen_);
    std::ranges::sort(
        seen_, {}, [](const SeenName& name) { return std::tuple(name.length, name.cell, name.fingerprint); });
    std::span<const SeenName> rest = seen_;
    while (!rest.empty()) {
      const auto end = std::ranges::upper_bound(rest, rest.front().length, {}, &SeenName::length);
      const auto of_length = rest.first(static_cast<std::size_t>(end - rest.begin()));
      number_names_of_a_length(namer, of_length);
      rest = rest.subspan(of_length.size());
    }
    seen_ = {};
  }

  void number_names_of_a_length(const DirectoryNamer& namer, std::span<const SeenName> names) {
    std::vector<std::span<const SeenName>> needed(rules_.cells.count());
    for (std::size_t i = 0; i < names.size();) {
      std::size_t end = i;
      while (end < names.size() && names[end].cell == names[i].cell) ++end;
      needed[names[i].cell] = names.subspan(i, end - i);
      i = end;
    }
    const NumberedNames candidates = namer.numbered_names(names.front().length);
    const std::uint64_t budget = 400 * rules_.cells.count() + 64 * names.size() + 100'000;
    const std::uint64_t most = std::min(candidates.count(), budget * 4);
    std::string candidate(names.front().length, '\0');
    std::size_t left = names.size();
    for (std::uint64_t number = 0; number < most && left > 0; ++number) {
      if (number % 4096 == 0) throw_if_stopped();
      candidates.get(number, candidate);
      auto& waiting = needed[namer.cell_of_new(candidate)];
      if (waiting.empty()) continue;
      rules_.numbered.push_back({waiting.front().fingerprint, number});
      waiting = waiting.subspan(1);
      --left;
    }
    for (const auto& waiting : needed)
      for (const SeenName& name : waiting) rules_.unplaced.push_back(name.fingerprint);
  }

  const Filesystem& filesystem_;
  const Naming& naming_;
  const DirectoryParts& parts_;
  DirectoryRules rules_;
  std::vector<SeenName> seen_;
  std::vector<ShortName> short_;
};

}  // namespace

DirectoryRules plan_cells(const Filesystem& filesystem, const DirectoryParts& parts) {
  DirectoryRules rules;
  rules.inode = parts.inode;
  rules.flags = parts.flags;
  if ((parts.flags & EXT2_INDEX_FL) == 0) return rules;
  std::vector<std::uint32_t> boundaries;
  for_each_block(filesystem, parts, [&](std::span<const std::byte> block) {
    const auto index = parse_index_block(block);
    if (!index) return;
    if (index->is_root()) rules.hash_version = used_hash_version(index->version, filesystem.superblock);
    for (std::size_t i = 1; i < index->count; ++i)
      boundaries.push_back(load_le<std::uint32_t>(block, index->entries + i * IndexBlock::kEntryBytes));
  });
  // Hashes of names that are encrypted and ignore case are stored beside them, and stay.
  if (rules.hash_version <= EXT2_HASH_TEA_UNSIGNED) rules.cells = HashCells(std::move(boundaries));
  return rules;
}

DirectoryRules plan_names(const Filesystem& filesystem, const Naming& naming, const DirectoryParts& parts,
                          DirectoryRules cells) {
  return Planner(filesystem, naming, parts, std::move(cells)).run();
}

}  // namespace e2qcow::ext2
