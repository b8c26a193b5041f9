// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/texts/fast_commit_texts.h"

#include "base/bytes.h"
#include "ext2/journal/fast_commit_record.h"
#include "ext2/texts/inode_texts.h"

namespace e2qcow::ext2 {
namespace {

using Record = FastCommitRecord;

void visit_record(const TextPlace& block, const Record& record, const TextVisitor& visit) {
  TextPlace value = block.part(record.offset, record.length);
  if (record.has_name()) {
    value.owner = load_le<std::uint32_t>(value.bytes, 0);
    visit(value.text(TextKind::name, Record::kName, record.length - Record::kName,
                     load_le<std::uint32_t>(value.bytes, 4)));
  }
  if (record.has_inode()) {
    value.owner = load_le<std::uint32_t>(value.bytes, 0);
    visit_inode_texts(value.part(Record::kInodeNumber, record.length - Record::kInodeNumber), visit);
  }
  if (record.type == Record::Type::padding) visit_unused(value, TextKind::slack, visit);
}

}  // namespace

bool looks_like_fast_commits(std::span<const std::byte> block) {
  std::size_t records = 0;
  std::size_t position = 0;
  for (; const auto record = fast_commit_record_at(block, position); ++records) {
    if (record->type == Record::Type::tail) return true;
    position = record->end();
  }
  const auto rest = block.subspan(position);
  return records > 1 && (rest.size() < Record::kHead || is_zero(rest.first(Record::kHead)));
}

void visit_fast_commits(const TextPlace& block, const TextVisitor& visit) {
  std::size_t position = 0;
  while (const auto record = fast_commit_record_at(block.bytes, position)) {
    visit_record(block, *record, visit);
    position = record->end();
  }
  visit_unused(block.part(position, block.bytes.size() - position), TextKind::slack, visit);
}

}  // namespace e2qcow::ext2
