// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/texts/directory_texts.h"

#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "ext2/structures/directory.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::size_t kHead = EntryHead::kBytes;
constexpr std::size_t kTail = 12;  // the entry that has the checksum
constexpr std::uint8_t kTailType = 0xde;
constexpr std::uint8_t kMaxType = 7;
constexpr std::size_t kDots = 24;  // the entries "." and ".."
constexpr std::size_t kRootInfo = 8;
constexpr std::size_t kCell = 8;  // of the index of a hash tree
constexpr std::size_t kHashes = 8;

// The part of a block that has the limit, the count and the cells of an index.
struct Index {
  std::size_t begin;
  std::size_t used_end;
  std::size_t end;
};

std::optional<Index> index_at(std::span<const std::byte> block, std::size_t begin) {
  const std::size_t limit = load_le<std::uint16_t>(block, begin);
  const std::size_t count = load_le<std::uint16_t>(block, begin + 2);
  if (count == 0 || count > limit || limit > (block.size() - begin) / kCell) return std::nullopt;
  return Index{begin, begin + count * kCell, begin + limit * kCell};
}

// Of a root or a node of a hash tree.
std::optional<Index> index_in(std::span<const std::byte> block) {
  if (block.size() < kDots + kRootInfo + kCell) return std::nullopt;
  const EntryHead first(block, block.size());
  if (first.inode == 0 && first.length == block.size() && first.name_length == 0)
    return index_at(block, kHead);
  const EntryHead second(block.subspan(kDots / 2), block.size());
  const bool is_root = first.length == kDots / 2 && second.length == block.size() - kDots / 2 &&
                       load_le<std::uint32_t>(block, kDots) == 0 &&
                       load_le<std::uint8_t>(block, kDots + 5) == kRootInfo;
  return is_root ? index_at(block, kDots + kRootInfo) : std::nullopt;
}

bool is_checksum(const EntryHead& head, std::size_t rest) {
  return head.inode == 0 && head.length == kTail && rest == kTail && head.name_length == 0 &&
         head.type == kTailType;
}

class DirectoryBlock {
 public:
  DirectoryBlock(const TextPlace& block, EntryHashes hashes, const TextVisitor& visit)
      : block_(block), bytes_(block.bytes), hashes_(hashes), visit_(visit) {}

  void visit() const {
    const auto index = index_in(bytes_);
    if (index) visit_remains(index->used_end, index->end);
    std::size_t position = 0;
    while (position + kHead <= bytes_.size()) {
      const EntryHead head = head_at(position);
      const std::size_t rest = bytes_.size() - position;
      if (is_checksum(head, rest)) return;
      if (!head.has_valid_length(rest)) break;
      const std::size_t name_end =
          position + kHead + std::min<std::size_t>(head.name_length, head.length - kHead);
      visit_name(head, position + kHead, name_end);
      const bool has_index = index && position + head.length > index->begin;
      if (!has_index) visit_remains(after_hashes(head, name_end, position), position + head.length);
      position += head.length;
    }
    visit_remains(std::min(position, bytes_.size()), bytes_.size() - tail_after(position));
  }

 private:
  // The checksum is at the end of the block even if the chain of entries breaks off before.
  std::size_t tail_after(std::size_t position) const {
    const bool has_room = bytes_.size() >= kTail && position <= bytes_.size() - kTail;
    return has_room && is_checksum(head_at(bytes_.size() - kTail), kTail) ? kTail : 0;
  }
  EntryHead head_at(std::size_t position) const { return {bytes_.subspan(position), bytes_.size()}; }

  void visit_name(const EntryHead& head, std::size_t begin, std::size_t end) const {
    const auto kind = head.inode != 0 ? TextKind::name : TextKind::deleted_name;
    const bool is_empty = is_zero(bytes_.subspan(begin, end - begin));
    if (!is_empty) visit_(block_.text(kind, begin, end - begin, head.inode));
  }

  std::size_t after_hashes(const EntryHead& head, std::size_t name_end, std::size_t position) const {
    const std::size_t after = round_up(name_end, 4) + kHashes;
    return hashes_ == EntryHashes::after_names && after <= position + head.length ? after : name_end;
  }

  // What is left of entries that a longer one covers.
  void visit_remains(std::size_t begin, std::size_t end) const {
    std::size_t position = round_up(begin, 4);
    while (position + kHead <= end) {
      const EntryHead head = head_at(position);
      if (!was_entry(head, position, end)) {
        position += 4;
        continue;
      }
      visit_unused(block_.part(begin, position - begin), TextKind::slack, visit_);
      visit_(block_.text(TextKind::deleted_name, position + kHead, head.name_length, head.inode));
      begin = position + kHead + head.name_length;
      position = round_up(begin, 4);
    }
    if (begin < end) visit_unused(block_.part(begin, end - begin), TextKind::slack, visit_);
  }

  bool was_entry(const EntryHead& head, std::size_t position, std::size_t end) const {
    if (head.name_length == 0 || head.type > kMaxType || !head.has_valid_length(bytes_.size() - position) ||
        head.name_length > head.length - kHead || head.name_length > end - position - kHead)
      return false;
    const auto name = bytes_.subspan(position + kHead, head.name_length);
    return std::ranges::none_of(
        name, [](std::byte byte) { return byte == std::byte{0} || byte == std::byte{'/'}; });
  }

  const TextPlace& block_;
  std::span<const std::byte> bytes_;
  EntryHashes hashes_;
  const TextVisitor& visit_;
};

}  // namespace

void visit_directory(const TextPlace& block, EntryHashes hashes, const TextVisitor& visit) {
  DirectoryBlock(block, hashes, visit).visit();
}

bool looks_like_directory(std::span<const std::byte> block) {
  if (index_in(block)) return true;
  std::size_t position = 0;
  std::size_t names = 0;
  while (position + kHead <= block.size()) {
    const std::size_t rest = block.size() - position;
    const EntryHead head(block.subspan(position), block.size());
    if (!head.has_valid_length(rest) || head.name_length > head.length - kHead) return false;
    const bool is_name = head.inode != 0 && head.name_length != 0 && head.type <= kMaxType;
    if (!is_name && head.inode != 0) return false;
    names += is_name ? 1 : 0;
    position += head.length;
  }
  return position == block.size() && names > 0;
}

}  // namespace e2qcow::ext2
