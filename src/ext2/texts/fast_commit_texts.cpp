// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/texts/fast_commit_texts.h"

#include "base/bytes.h"
#include "ext2/structures/inode.h"
#include "ext2/texts/inode_texts.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::size_t kTagBytes = 4;  // type and length of what follows
constexpr std::size_t kNumberBytes = 4;
constexpr std::size_t kNameHead = 8;  // the inodes of the directory and of the file
enum class Tag : std::uint16_t {
  add_range = 1,
  delete_range = 2,
  create = 3,
  link = 4,
  unlink = 5,
  inode = 6,
  padding = 7,
  tail = 8,
  head = 9
};

struct Record {
  Tag tag;
  std::size_t begin;  // of the value
  std::size_t length;
  bool is_valid(std::size_t size) const {
    const auto number = static_cast<std::uint16_t>(tag);
    return number >= 1 && number <= 9 && length <= size - begin;
  }
};

Record record_at(std::span<const std::byte> block, std::size_t position) {
  return {static_cast<Tag>(load_le<std::uint16_t>(block, position)), position + kTagBytes,
          load_le<std::uint16_t>(block, position + 2)};
}

bool has_name(const Record& record) {
  return record.tag == Tag::create || record.tag == Tag::link || record.tag == Tag::unlink;
}

void visit_record(const TextPlace& block, const Record& record, const TextVisitor& visit) {
  TextPlace value = block.part(record.begin, record.length);
  if (has_name(record) && record.length > kNameHead) {
    value.owner = load_le<std::uint32_t>(value.bytes, 0);
    visit(value.text(TextKind::name, kNameHead, record.length - kNameHead,
                     load_le<std::uint32_t>(value.bytes, 4)));
  }
  if (record.tag == Tag::inode && record.length >= kNumberBytes + EXT2_GOOD_OLD_INODE_SIZE) {
    value.owner = load_le<std::uint32_t>(value.bytes, 0);
    visit_inode_texts(value.part(kNumberBytes, record.length - kNumberBytes), visit);
  }
  if (record.tag == Tag::padding) visit_unused(value, TextKind::slack, visit);
}

}  // namespace

bool looks_like_fast_commits(std::span<const std::byte> block) {
  std::size_t records = 0;
  for (std::size_t position = 0; position + kTagBytes <= block.size(); ++records) {
    const Record record = record_at(block, position);
    if (!record.is_valid(block.size())) return records > 1 && is_zero(block.subspan(position, kTagBytes));
    if (record.tag == Tag::tail) return true;
    position = record.begin + record.length;
  }
  return records > 1;
}

void visit_fast_commits(const TextPlace& block, const TextVisitor& visit) {
  std::size_t position = 0;
  while (position + kTagBytes <= block.bytes.size()) {
    const Record record = record_at(block.bytes, position);
    if (!record.is_valid(block.bytes.size())) break;
    visit_record(block, record, visit);
    position = record.begin + record.length;
  }
  visit_unused(block.part(position, block.bytes.size() - position), TextKind::slack, visit);
}

}  // namespace e2qcow::ext2
