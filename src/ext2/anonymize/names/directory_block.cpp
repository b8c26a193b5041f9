// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/names/directory_block.h"

#include <ext2fs/ext2_fs.h>

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "ext2/anonymize/names/index_block.h"
#include "ext2/anonymize/replacement/patch_checksum.h"
#include "ext2/structures/directory.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::size_t kTail = 12;  // an entry with the checksum, at the end of a block
constexpr std::uint8_t kTailType = 0xde;
constexpr std::size_t kTailChecksum = 8;  // where it is in the tail
constexpr std::size_t kStoredHash = 8;    // bytes, behind a name that is encrypted and ignores case
constexpr std::byte kSomething{'x'};

struct Entry {
  std::span<std::byte> bytes;  // as far as the next one
  EntryHead head;
  std::string_view name() const {
    return {reinterpret_cast<const char*>(bytes.data()) + EntryHead::kBytes, head.name_length};
  }
  std::span<std::byte> behind_head() const { return bytes.subspan(EntryHead::kBytes); }
  bool is_tail() const {
    return head.inode == 0 && head.length == kTail && head.name_length == 0 && head.type == kTailType;
  }
};

// The entries up to the first that is none, and how far they go.
struct Entries {
  std::vector<Entry> list;
  std::size_t end = 0;
};

Entries parse(std::span<std::byte> block) {
  Entries entries;
  while (block.size() >= entries.end + EntryHead::kBytes) {
    const auto rest = block.subspan(entries.end);
    const EntryHead head(rest, block.size());
    if (!head.has_valid_length(rest.size()) || head.name_length > head.length - EntryHead::kBytes) break;
    entries.list.push_back({rest.first(head.length), head});
    entries.end += head.length;
  }
  return entries;
}

bool is_dot_or_parent(std::string_view name) {
  return name == "." || name == "..";
}

void put_name(const Entry& entry, std::string_view name) {
  store_le(entry.bytes, 6, static_cast<std::uint8_t>(name.size()));
  std::memcpy(entry.behind_head().data(), name.data(), name.size());
}

// Whatever is behind the name goes, except that e2fsck looks at the byte after '.' and '..', and a stored
// hash stays.
void clear_behind_name(const Entry& entry, std::size_t name_length, bool has_stored_hash) {
  auto rest = entry.behind_head().subspan(name_length);
  const bool is_dot = is_dot_or_parent(entry.name());
  const bool goes_on = is_dot && !rest.empty() && rest[0] != std::byte{0};
  const std::size_t hash = round_up(name_length, 4) - name_length;
  if (has_stored_hash && !is_dot && rest.size() >= hash + kStoredHash) {
    clear(rest.first(hash));
    rest = rest.subspan(hash + kStoredHash);
  }
  clear(rest);
  if (goes_on) rest[0] = kSomething;
}

void anonymize_live(const DirectoryNamer& namer, const Entry& entry, std::uint32_t cell, Tally& tally) {
  auto [name, is_placed] = namer.replacement(entry.name(), cell);
  if (name.size() > entry.behind_head().size()) name.resize(entry.behind_head().size());
  if (!namer.is_kept(entry.name())) {
    ++tally.replaced;
    if (!is_placed) ++tally.not_placed;
    put_name(entry, name);
  }
  const std::uint32_t both = EXT4_ENCRYPT_FL | EXT4_CASEFOLD_FL;
  clear_behind_name(entry, name.size(), (namer.rules().flags & both) == both);
}

void anonymize_list(const DirectoryNamer& namer, const Entries& entries, Tally& tally) {
  std::vector<const Entry*> live;
  std::vector<std::string_view> names;
  for (const Entry& entry : entries.list) {
    if (entry.head.inode == 0 || entry.head.name_length == 0) {
      clear(entry.behind_head());
      continue;
    }
    live.push_back(&entry);
    names.push_back(entry.name());
  }
  const auto cells = namer.cells_of(names);
  for (std::size_t i = 0; i < live.size(); ++i)
    anonymize_live(namer, *live[i], cells.empty() ? 0 : cells[i], tally);
}

// The first two entries of a root: their names stay. Programs see whether the field after them is zero.
void clear_behind_dots(std::span<std::byte> block) {
  const bool goes_on = block[9] != std::byte{0};
  clear(block.subspan(9, 3));
  if (goes_on) block[9] = kSomething;
  const bool parent_goes_on = block[22] != std::byte{0};
  clear(block.subspan(22, 2));
  if (parent_goes_on) block[22] = kSomething;
  const bool is_reserved_used = !is_zero(block.subspan(IndexBlock::kRootInfo, 4));
  store_le(block, IndexBlock::kRootInfo, std::uint32_t{is_reserved_used ? 1U : 0U});
}

void anonymize_index(const IndexBlock& index, const Checksums& checksums, std::span<std::byte> block) {
  const std::vector<std::byte> before(block.begin(), block.end());
  if (index.is_root()) clear_behind_dots(block);
  const bool is_summed = checksums.exist && index.limit >= index.count &&
                         index.limit_end() + sizeof(ext2_dx_tail) <= block.size();
  const std::size_t tail = is_summed ? index.limit_end() : block.size();
  clear(block.subspan(index.end(), tail - index.end()));
  if (!is_summed) return;
  clear(block.subspan(tail + sizeof(ext2_dx_tail)));
  clear(block.subspan(tail, 4));  // reserved
  const auto summed = [&](std::span<const std::byte> bytes) {
    std::vector<std::byte> result(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(index.end()));
    result.insert(result.end(), bytes.begin() + static_cast<std::ptrdiff_t>(tail),
                  bytes.begin() + static_cast<std::ptrdiff_t>(tail) + 4);
    result.resize(result.size() + 4);  // the checksum counts as zeros
    return result;
  };
  const std::uint32_t difference =
      crc_difference(summed(before), summed(block), checksums.seed.after(SeedDifference::kInodeNumbers));
  store_le(block, tail + 4, load_le<std::uint32_t>(before, tail + 4) ^ difference);
}

// A chain of entries that is broken before the tail does not unmake it: the kernel looks at the end of the
// block alone.
bool has_tail(const Entries& entries, std::span<std::byte> block) {
  if (entries.end == block.size()) return !entries.list.empty() && entries.list.back().is_tail();
  if (block.size() < kTail || entries.end > block.size() - kTail) return false;
  const auto last = block.last(kTail);
  return Entry{last, EntryHead(last, block.size())}.is_tail();
}

}  // namespace

void anonymize_entries(const DirectoryNamer& namer, std::span<std::byte> entries, Tally& tally) {
  const Entries parsed = parse(entries);
  anonymize_list(namer, parsed, tally);
  const auto rest = entries.subspan(parsed.end);
  if (!is_zero(rest)) ++tally.not_parsed;
  clear(rest);
}

void anonymize_directory_block(const DirectoryNamer& namer, const Checksums& checksums,
                               std::span<std::byte> block, Tally& tally) {
  if ((namer.rules().flags & EXT2_INDEX_FL) != 0)
    if (const auto index = parse_index_block(block)) return anonymize_index(*index, checksums, block);
  const std::vector<std::byte> before(block.begin(), block.end());
  const bool is_summed = checksums.exist && has_tail(parse(block), block);
  anonymize_entries(namer, block, tally);
  if (!is_summed) return;
  const std::size_t tail = block.size() - kTail;
  std::ranges::copy(std::span(before).subspan(tail), block.begin() + static_cast<std::ptrdiff_t>(tail));
  const std::uint32_t difference =
      crc_difference(std::span(before).first(tail), std::span<const std::byte>(block).first(tail),
                     checksums.seed.after(SeedDifference::kInodeNumbers));
  store_le(block, tail + kTailChecksum, load_le<std::uint32_t>(before, tail + kTailChecksum) ^ difference);
}

}  // namespace e2qcow::ext2
