// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/journal/fast_commit_area.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/stop.h"
#include "ext2/journal/fast_commit_record.h"
#include "ext2/structures/checksum.h"

namespace e2qcow::ext2 {
namespace {

using Record = FastCommitRecord;
using Type = FastCommitRecord::Type;

// How much of a value is known, if it has neither a name nor an inode.
std::size_t known_length(Type type) {
  if (type == Type::add_range) return 16;
  if (type == Type::delete_range) return 12;
  return type == Type::padding ? 0 : 8;
}

// The records in a block, up to the first that is none.
std::vector<Record> records_in(std::span<const std::byte> block) {
  std::vector<Record> records;
  std::size_t position = 0;
  while (const auto record = fast_commit_record_at(block, position)) {
    records.push_back(*record);
    position = record->end();
  }
  return records;
}

std::uint32_t number_at(std::span<const std::byte> bytes, const Record& record, std::size_t offset) {
  return record.length >= offset + 4 ? load_le<std::uint32_t>(bytes, record.offset + offset) : 0;
}

}  // namespace

FastCommitArea::FastCommitArea(const JournalLog& log, std::uint32_t sequence) {
  std::vector<Block> pending;
  bool has_begun = false;
  for (std::uint64_t index = 1; index < log.fast_commit_blocks(); ++index) {
    throw_if_stopped();
    const auto device_block = log.device_block_of_fast_commit(index);
    if (!device_block) break;
    pending.push_back({*device_block, log.read_fast_commit(index), 0});
    Block& block = pending.back();
    bool goes_on = false;
    for (const Record& record : records_in(block.bytes)) {
      goes_on = true;
      if (record.type == Type::head) has_begun = number_at(block.bytes, record, 4) == sequence;
      if (!has_begun || (record.type == Type::tail && number_at(block.bytes, record, 0) != sequence)) {
        goes_on = false;
        break;
      }
      block.end = record.end();
      if (record.type != Type::tail) continue;
      for (Block& finished : pending) {
        const bool is_known = !blocks_.empty() && blocks_.back().device_block == finished.device_block;
        if (is_known)
          blocks_.back() = finished;
        else
          blocks_.push_back(finished);
      }
      const Block last = pending.back();
      pending = {last};
    }
    if (!goes_on) break;
  }
}

std::vector<FastCommitArea::Name> FastCommitArea::names() const {
  std::vector<Name> names;
  for (const Block& block : blocks_)
    for (const Record& record : records_in(std::span(block.bytes).first(block.end))) {
      if (!record.has_name()) continue;
      const auto* text = reinterpret_cast<const char*>(block.bytes.data()) + record.offset + Record::kName;
      names.push_back({number_at(block.bytes, record, 0), std::string(text, record.length - Record::kName)});
    }
  return names;
}

namespace {

void replace_value(const FastCommitRules& rules, const Record& record, std::span<std::byte> value,
                   Tally& tally) {
  const std::uint32_t inode = value.size() >= Record::kInodeNumber ? load_le<std::uint32_t>(value, 0) : 0;
  if (record.has_name()) {
    const auto name = value.subspan(Record::kName);
    const std::string old(reinterpret_cast<const char*>(name.data()), name.size());
    const std::string replaced = rules.new_name(inode, old, tally);
    std::memcpy(name.data(), replaced.data(), std::min(name.size(), replaced.size()));
  } else if (record.has_inode()) {
    rules.anonymize_inode(inode, value.subspan(Record::kInodeNumber), tally);
  } else {
    const std::size_t known = record.type == Type::inode ? Record::kInodeNumber : known_length(record.type);
    const auto rest = value.subspan(std::min(known, value.size()));
    if (record.type == Type::inode && !rest.empty()) ++tally.not_parsed;
    clear(rest);
  }
}

}  // namespace

std::map<std::uint64_t, std::vector<std::byte>> FastCommitArea::anonymized(const FastCommitRules& rules,
                                                                           Tally& tally) const {
  std::map<std::uint64_t, std::vector<std::byte>> result;
  std::uint32_t crc_before = 0;
  std::uint32_t crc_after = 0;
  for (const Block& block : blocks_) {
    std::vector<std::byte> bytes = block.bytes;
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(block.end), bytes.end(), std::byte{0});
    for (const Record& record : records_in(std::span<const std::byte>(bytes).first(block.end))) {
      const auto value = std::span(bytes).subspan(record.offset, record.length);
      replace_value(rules, record, value, tally);
      crc_before = crc32c(crc_before,
                          std::span<const std::byte>(block.bytes).subspan(record.begin(), record.summed()));
      crc_after =
          crc32c(crc_after, std::span<const std::byte>(bytes).subspan(record.begin(), record.summed()));
      if (!record.is_whole_tail()) continue;
      store_le(value, Record::kTailChecksum,
               number_at(block.bytes, record, Record::kTailChecksum) ^ crc_before ^ crc_after);
      crc_before = crc_after = 0;
    }
    result.emplace(block.device_block, std::move(bytes));
  }
  return result;
}

}  // namespace e2qcow::ext2
