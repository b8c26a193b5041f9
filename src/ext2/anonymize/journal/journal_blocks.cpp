// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/journal/journal_blocks.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "ext2/anonymize/replacement/patch_checksum.h"
#include "ext2/journal/recovery.h"
#include "ext2/structures/checksum.h"

namespace e2qcow::ext2 {
namespace {

using BlockType = JournalLog::BlockType;

BlockType type_of(LogPart::Kind kind) {
  if (kind == LogPart::Kind::commit) return BlockType::commit;
  return kind == LogPart::Kind::revoke ? BlockType::revoke : BlockType::descriptor;
}

constexpr std::size_t kChecksumBytes = 4;
constexpr std::size_t kUuid = 48;  // in the superblock
constexpr std::size_t kCommitTime = 48;

// A pad, and room for seven more checksums. Source: include/linux/jbd2.h, struct commit_header
void clear_unused_of_commit(std::span<std::byte> commit) {
  constexpr std::size_t kPad = 14;
  constexpr std::size_t kMoreChecksums = 20;
  clear(commit.subspan(kPad, 2));
  clear(commit.subspan(kMoreChecksums, kCommitTime - kMoreChecksums));
}

void round_time_of_commit(const StrictRules& strict, std::span<std::byte> commit) {
  constexpr std::size_t kNanoseconds = 56;
  if (!strict.is_strict()) return;
  const auto time = load_be<std::uint64_t>(std::span<const std::byte>(commit), kCommitTime);
  store_be(commit, kCommitTime, static_cast<std::uint64_t>(strict.time(static_cast<std::int64_t>(time))));
  store_be(commit, kNanoseconds, std::uint32_t{0});
}

// Corrects a checksum, stored big endian, of a whole block, in which it counts as zeros.
void patch_block_checksum(std::span<const std::byte> before, std::span<std::byte> after, std::size_t place,
                          SeedDifference seed = SeedDifference()) {
  std::vector<std::byte> difference(before.size());
  for (std::size_t i = 0; i < before.size(); ++i) difference[i] = before[i] ^ after[i];
  clear(std::span(difference).subspan(place, kChecksumBytes));
  store_be(after, place, load_be<std::uint32_t>(before, place) ^ crc32c(seed.after(0), difference));
}

}  // namespace

JournalBlocks::JournalBlocks(const Filesystem& filesystem, const StrictRules& strict,
                             std::span<const std::uint64_t> candidates)
    : filesystem_(filesystem), strict_(strict) {
  for (const std::uint64_t block : candidates) blocks_.emplace(block, kSuperblock);
  if (!filesystem.superblock.has_compat(EXT3_FEATURE_COMPAT_HAS_JOURNAL)) return;
  find(journal_blocks(filesystem));
  find(backed_up_journal_blocks(filesystem));
}

void JournalBlocks::find(std::vector<BlockRun> blocks) {
  if (blocks.empty() || blocks.front().first == 0) return;
  blocks_[blocks.front().first] = kSuperblock;
  if (log_) return;
  const std::uint64_t first_block = blocks.front().first;
  log_ = JournalLog::open(filesystem_, std::move(blocks));
  if (!log_) return;
  seed_difference_ = strict_.seed_difference(
      std::span<const std::byte>(read(first_block)).subspan(kUuid, JournalLog::kUuidBytes));
  LogParts found = parts_of_log(*log_);
  parts_ = std::move(found.parts);
  for (std::size_t i = 0; i < parts_.size(); ++i) blocks_[parts_[i].device_block] = i;
  for_each_copy([this](std::uint64_t target, std::uint64_t copy) { copies_.emplace(target, copy); });
  if (log_->has_fast_commits()) fast_commits_ = FastCommitArea(*log_, found.next_sequence);
}

void JournalBlocks::for_each_copy(const std::function<void(std::uint64_t, std::uint64_t)>& visit) const {
  for (const LogPart& part : parts_)
    if (part.kind == LogPart::Kind::copy) visit(part.tag.block, part.device_block);
}

std::vector<std::uint64_t> JournalBlocks::copies_of(std::uint64_t target) const {
  std::vector<std::uint64_t> found;
  const auto [begin, end] = copies_.equal_range(target);
  for (auto copy = begin; copy != end; ++copy) found.push_back(copy->second);
  return found;
}

void JournalBlocks::replace_fast_commits(const FastCommitRules& rules, Tally& tally) {
  new_fast_commits_ = fast_commits_.anonymized(rules, tally);
  for (const auto& [block, bytes] : new_fast_commits_) blocks_.emplace(block, kFastCommit);
}

std::vector<std::byte> JournalBlocks::read(std::uint64_t device_block) const {
  std::vector<std::byte> bytes(filesystem_.geometry.block_size());
  filesystem_.file.read(filesystem_.geometry.bytes({device_block, 1}).offset, bytes);
  return bytes;
}

void JournalBlocks::replace(std::uint64_t device_block, std::span<std::byte> bytes,
                            const ReplaceTarget& replace_target, Tally& tally) const {
  const auto found = blocks_.find(device_block);
  if (found == blocks_.end()) return clear(bytes);
  if (found->second == kSuperblock) return replace_superblock(bytes);
  if (found->second != kFastCommit) return replace_part(found->second, bytes, replace_target, tally);
  const auto& replaced = new_fast_commits_.at(device_block);
  std::ranges::copy(replaced, bytes.begin());
}

// Source of the fields: the kernel's include/linux/jbd2.h, struct journal_superblock_s
void JournalBlocks::replace_superblock(std::span<std::byte> bytes) const {
  constexpr std::size_t kSize = 1024;
  constexpr std::size_t kKnown = 92;
  constexpr std::size_t kChecksum = 252;
  constexpr std::size_t kUsers = 256;
  const std::vector<std::byte> before(bytes.begin(), bytes.end());
  if (load_be<std::uint32_t>(before, 0) != JournalLog::kMagic) return clear(bytes);
  clear(bytes.subspan(kKnown, kChecksum - kKnown));
  clear(bytes.subspan(kUsers));
  strict_.replace_uuid(bytes.subspan(kUuid, JournalLog::kUuidBytes));
  if (!is_zero(std::span(before).subspan(kChecksum, kChecksumBytes)))
    patch_block_checksum(std::span(before).first(kSize), bytes.first(kSize), kChecksum);
}

void JournalBlocks::replace_part(std::size_t index, std::span<std::byte> bytes,
                                 const ReplaceTarget& replace_target, Tally& tally) const {
  const LogPart& part = parts_[index];
  if (part.kind == LogPart::Kind::copy) {
    replace_copy(part, bytes, replace_target, tally);
    return;
  }
  const std::vector<std::byte> before(bytes.begin(), bytes.end());
  const BlockType type = type_of(part.kind);
  const std::size_t used = log_->used_bytes(type, before);
  const std::size_t end =
      before.size() - (log_->has_checksums() && type != BlockType::commit ? kChecksumBytes : 0);
  if (used < end) clear(bytes.subspan(used, end - used));
  if (type == BlockType::commit) {
    clear_unused_of_commit(bytes);
    round_time_of_commit(strict_, bytes);
  }
  if (part.kind == LogPart::Kind::descriptor) replace_tags(index, bytes, replace_target);
  if (log_->has_checksums())
    patch_block_checksum(before, bytes, JournalLog::checksum_place(type, before), seed_difference_);
  if (part.kind == LogPart::Kind::commit && log_->has_transaction_checksums())
    patch_transaction(index, bytes, replace_target);
}

// Whether it begins with the journal's magic, so that it is stored with zeros there.
bool JournalBlocks::replace_copy(const LogPart& part, std::span<std::byte> bytes,
                                 const ReplaceTarget& replace_target, Tally& tally) const {
  if (part.tag.is_escaped) store_be(bytes, 0, JournalLog::kMagic);
  replace_target(part.tag.block, bytes, tally);
  const bool is_escaped = load_be<std::uint32_t>(std::span<const std::byte>(bytes), 0) == JournalLog::kMagic;
  if (is_escaped) store_be(bytes, 0, std::uint32_t{0});
  return is_escaped;
}

// The tags of a descriptor have the checksums of the copies after it.
void JournalBlocks::replace_tags(std::size_t index, std::span<std::byte> bytes,
                                 const ReplaceTarget& replace_target) const {
  constexpr std::size_t kSequenceBytes = 4;
  for (std::size_t i = 0; i < parts_[index].copies; ++i) {
    const LogPart& copy = parts_[index + 1 + i];
    const std::vector<std::byte> before = read(copy.device_block);
    std::vector<std::byte> after = before;
    Tally counted_there;
    const bool is_escaped = replace_copy(copy, after, replace_target, counted_there);
    log_->change_tag(bytes, copy.tag, crc_difference(before, after, seed_difference_.after(kSequenceBytes)),
                     is_escaped);
    const std::size_t uuid = copy.tag.bytes - std::min(copy.tag.bytes, log_->tag_bytes());
    clear(bytes.subspan(copy.tag.offset + copy.tag.bytes - uuid, uuid));
  }
}

std::vector<std::byte> JournalBlocks::replaced(std::size_t index, const ReplaceTarget& replace_target) const {
  std::vector<std::byte> bytes = read(parts_[index].device_block);
  Tally counted_there;
  replace_part(index, bytes, replace_target, counted_there);
  return bytes;
}

// The oldest kind of checksum, of all descriptors and copies of a transaction.
void JournalBlocks::patch_transaction(std::size_t index, std::span<std::byte> bytes,
                                      const ReplaceTarget& replace_target) const {
  std::uint32_t before = ~0U;
  std::uint32_t after = ~0U;
  for (std::size_t i = parts_[index].transaction_begin; i < index; ++i) {
    if (parts_[i].kind != LogPart::Kind::copy && parts_[i].kind != LogPart::Kind::descriptor) continue;
    before = crc32_be(before, read(parts_[i].device_block));
    after = crc32_be(after, replaced(i, replace_target));
  }
  const std::size_t place = JournalLog::checksum_place(BlockType::commit, bytes);
  const std::uint32_t stored = load_be<std::uint32_t>(std::span<const std::byte>(bytes), place);
  if (stored != 0) store_be(bytes, place, stored ^ before ^ after);
}

}  // namespace e2qcow::ext2
