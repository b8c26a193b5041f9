// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/fast_commit_area.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/stop.h"
#include "ext2/structures/checksum.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::size_t kHead = 4;  // type and length of what follows
enum class Type : std::uint16_t {
  add_range = 1,
  del_range = 2,
  creat = 3,
  link = 4,
  unlink = 5,
  inode = 6,
  padding = 7,
  tail = 8,
  head = 9
};
constexpr std::size_t kEntryName = 8;  // after the inodes of the directory and of the file
constexpr std::size_t kTailUsed = 8;   // the sequence and the checksum
constexpr std::size_t kTailSequence = 4;
constexpr std::size_t kInodeNumber = 4;
constexpr std::size_t kLeastInode = 128;

// How much of a value is known, if it has neither a name nor an inode.
std::size_t known_length(Type type) {
  if (type == Type::add_range) return 16;
  if (type == Type::del_range) return 12;
  return type == Type::padding ? 0 : 8;
}

struct Record {
  Type type;
  std::size_t offset;  // of its value, in the block
  std::size_t length;
};

bool has_name(const Record& record) {
  return record.type >= Type::creat && record.type <= Type::unlink && record.length > kEntryName;
}

// The records in a block, up to the first that is none.
std::vector<Record> records_in(std::span<const std::byte> block) {
  std::vector<Record> records;
  for (std::size_t position = 0; position + kHead <= block.size();) {
    const Record record{static_cast<Type>(load_le<std::uint16_t>(block, position)), position + kHead,
                        load_le<std::uint16_t>(block, position + 2)};
    const bool is_known = record.type >= Type::add_range && record.type <= Type::head;
    if (!is_known || record.length > block.size() - record.offset) break;
    records.push_back(record);
    position = record.offset + record.length;
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
      block.end = record.offset + record.length;
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
      if (!has_name(record)) continue;
      const auto* text = reinterpret_cast<const char*>(block.bytes.data()) + record.offset + kEntryName;
      names.push_back({number_at(block.bytes, record, 0), std::string(text, record.length - kEntryName)});
    }
  return names;
}

namespace {

void replace_value(const FastCommitRules& rules, const Record& record, std::span<std::byte> value,
                   Tally& tally) {
  const std::uint32_t inode = value.size() >= kInodeNumber ? load_le<std::uint32_t>(value, 0) : 0;
  if (has_name(record)) {
    const auto name = value.subspan(kEntryName);
    const std::string old(reinterpret_cast<const char*>(name.data()), name.size());
    const std::string replaced = rules.new_name(inode, old, tally);
    std::memcpy(name.data(), replaced.data(), std::min(name.size(), replaced.size()));
  } else if (record.type == Type::inode && record.length >= kInodeNumber + kLeastInode) {
    rules.anonymize_inode(inode, value.subspan(kInodeNumber), tally);
  } else {
    const std::size_t known = record.type == Type::inode ? kInodeNumber : known_length(record.type);
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
      const bool is_tail = record.type == Type::tail && record.length >= kTailUsed;
      const std::size_t begin = record.offset - kHead;
      const std::size_t summed = kHead + (is_tail ? kTailSequence : record.length);
      crc_before = crc32c(crc_before, std::span<const std::byte>(block.bytes).subspan(begin, summed));
      crc_after = crc32c(crc_after, std::span<const std::byte>(bytes).subspan(begin, summed));
      if (!is_tail) continue;
      store_le(value, kTailSequence, number_at(block.bytes, record, kTailSequence) ^ crc_before ^ crc_after);
      crc_before = crc_after = 0;
    }
    result.emplace(block.device_block, std::move(bytes));
  }
  return result;
}

}  // namespace e2qcow::ext2
