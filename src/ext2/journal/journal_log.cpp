// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/journal/journal_log.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "ext2/structures/checksum.h"
#include "ext2/structures/inode.h"

namespace e2qcow::ext2 {
namespace {

enum Incompat : std::uint32_t { kBlocks64 = 2, kChecksumV2 = 8, kChecksumV3 = 0x10, kFastCommit = 0x20 };
enum TagFlag : std::uint32_t { kEscape = 1, kSameUuid = 2, kLastTag = 8 };

constexpr std::size_t kTailBytes = 4;              // the checksum at the end of a block
constexpr std::size_t kCommitChecksum = 16;        // where it is in a commit block
constexpr std::uint32_t kDefaultFastCommit = 256;  // blocks

// Of a block, with the field of the checksum itself taken as zeros.
std::uint32_t checksum_without(std::uint32_t seed, std::span<const std::byte> block, std::size_t offset) {
  constexpr std::array<std::byte, kTailBytes> kZero{};
  const std::uint32_t crc = crc32c(crc32c(seed, block.first(offset)), kZero);
  return crc32c(crc, block.subspan(offset + kTailBytes));
}

}  // namespace

JournalLog::JournalLog(const Filesystem& filesystem, std::vector<BlockRun> blocks)
    : filesystem_(&filesystem), blocks_(std::move(blocks)) {
  for (const BlockRun& run : blocks_) {
    begins_.push_back(end_);
    end_ += run.count;
  }
}

std::optional<JournalLog> JournalLog::open(const Filesystem& filesystem, std::vector<BlockRun> blocks) {
  auto log = open_any(filesystem, std::move(blocks));
  // Like e2fsck 1.47, do not check that the log begins inside the ring.
  const bool has_any = log && log->start_ != 0 && log->start_ < log->end_;
  return has_any ? std::move(log) : std::nullopt;
}

std::optional<JournalLog> JournalLog::open_any(const Filesystem& filesystem, std::vector<BlockRun> blocks) {
  JournalLog log(filesystem, std::move(blocks));
  return log.decode_superblock() ? std::optional(std::move(log)) : std::nullopt;
}

bool JournalLog::decode_superblock() {
  const auto bytes = read(0);
  if (bytes.empty() || load_be<std::uint32_t>(bytes, 0) != kMagic) return false;
  const auto type = static_cast<BlockType>(load_be<std::uint32_t>(bytes, 4));
  if (type != BlockType::superblock_v1 && type != BlockType::superblock_v2) return false;
  const bool is_v2 = type == BlockType::superblock_v2;
  if (load_be<std::uint32_t>(bytes, 12) != filesystem_->geometry.block_size()) return false;
  end_ = std::min<std::uint64_t>(load_be<std::uint32_t>(bytes, 16), end_);
  first_ = load_be<std::uint32_t>(bytes, 20);
  first_sequence_ = load_be<std::uint32_t>(bytes, 24);
  start_ = load_be<std::uint32_t>(bytes, 28);
  if (is_v2) users_ = load_be<std::uint32_t>(bytes, 64);
  if (is_v2) compat_ = load_be<std::uint32_t>(bytes, 36);
  if (is_v2) incompat_ = load_be<std::uint32_t>(bytes, 40);
  if (is_v2) seed_ = crc32c(~0U, std::span(bytes).subspan(48, kUuidBytes));
  area_end_ = end_;
  if (has_incompat(kFastCommit)) {
    const auto stated = load_be<std::uint32_t>(bytes, 0x54);
    const std::uint64_t fast = stated == 0 ? kDefaultFastCommit : stated;
    end_ -= std::min(end_, fast);
  }
  return true;
}

std::optional<std::uint64_t> JournalLog::device_block_of(std::uint64_t position) const {
  return position < end_ ? device_block_in_area(position) : std::nullopt;
}

std::vector<std::byte> JournalLog::read(std::uint64_t position) const {
  return position < end_ ? read_block(position) : std::vector<std::byte>();
}

std::optional<std::uint64_t> JournalLog::device_block_in_area(std::uint64_t position) const {
  const auto next = std::ranges::upper_bound(begins_, position);
  const auto index = static_cast<std::size_t>(next - begins_.begin()) - 1;
  if (blocks_[index].first == 0) return std::nullopt;
  return blocks_[index].first + (position - begins_[index]);
}

std::vector<std::byte> JournalLog::read_block(std::uint64_t position) const {
  const auto device_block = device_block_in_area(position);
  if (!device_block) return {};
  std::vector<std::byte> bytes(filesystem_->geometry.block_size());
  filesystem_->file.read(filesystem_->geometry.bytes({*device_block, 1}).offset, bytes);
  return bytes;
}

bool JournalLog::has_checksums() const {
  return has_incompat(kChecksumV2) || has_incompat(kChecksumV3);
}

// Source: journal_tag_bytes()
std::size_t JournalLog::tag_bytes() const {
  if (has_incompat(kChecksumV3)) return 16;
  return (has_incompat(kBlocks64) ? 12U : 8U) + (has_incompat(kChecksumV2) ? 2U : 0U);
}

std::vector<JournalLog::Tag> JournalLog::tags_in(std::span<const std::byte> descriptor) const {
  std::vector<Tag> tags;
  const std::size_t end = descriptor.size() - (has_checksums() ? kTailBytes : 0);
  for (std::size_t position = kHeaderBytes; position + tag_bytes() <= end;) {
    const auto bytes = descriptor.subspan(position, tag_bytes());
    const bool v3 = has_incompat(kChecksumV3);
    const std::uint32_t flags = v3 ? load_be<std::uint32_t>(bytes, 4) : load_be<std::uint16_t>(bytes, 6);
    const std::size_t uuid = (flags & kSameUuid) != 0 ? 0 : kUuidBytes;
    Tag tag{load_be<std::uint32_t>(bytes, 0), 0, (flags & kEscape) != 0, position, tag_bytes() + uuid};
    if (has_incompat(kBlocks64))
      tag.block |= static_cast<std::uint64_t>(load_be<std::uint32_t>(bytes, 8)) << 32;
    tag.checksum = v3 ? load_be<std::uint32_t>(bytes, 12) : load_be<std::uint16_t>(bytes, 4);
    tags.push_back(tag);
    if ((flags & kLastTag) != 0) break;
    position += tag.bytes;
  }
  return tags;
}

std::vector<std::uint64_t> JournalLog::revocations_in(std::span<const std::byte> block) const {
  const std::size_t width = has_incompat(kBlocks64) ? 8 : 4;
  const std::size_t end = std::min<std::size_t>(load_be<std::uint32_t>(block, kHeaderBytes), block.size());
  std::vector<std::uint64_t> revoked;
  for (std::size_t position = kHeaderBytes + 4; position + width <= end; position += width)
    revoked.push_back(width == 8 ? load_be<std::uint64_t>(block, position)
                                 : load_be<std::uint32_t>(block, position));
  return revoked;
}

bool JournalLog::has_right_checksum(BlockType type, std::span<const std::byte> block) const {
  if (!has_checksums()) return true;
  const std::size_t offset = checksum_place(type, block);
  return checksum_without(seed_, block, offset) == load_be<std::uint32_t>(block, offset);
}

bool JournalLog::has_right_checksum(const Tag& tag, std::uint32_t sequence,
                                    std::uint64_t device_block) const {
  if (!has_checksums()) return true;
  std::vector<std::byte> data(filesystem_->geometry.block_size());
  filesystem_->file.read(filesystem_->geometry.bytes({device_block, 1}).offset, data);
  const std::uint32_t number = big_endian(sequence);
  const std::uint32_t crc = crc32c(crc32c(seed_, std::as_bytes(std::span(&number, 1))), data);
  return has_incompat(kChecksumV3) ? crc == tag.checksum : (crc & 0xffff) == tag.checksum;
}

std::size_t JournalLog::checksum_place(BlockType type, std::span<const std::byte> block) {
  return type == BlockType::commit ? kCommitChecksum : block.size() - kTailBytes;
}

std::size_t JournalLog::used_bytes(BlockType type, std::span<const std::byte> block) const {
  constexpr std::size_t kCommitBytes = 60;
  const std::size_t end = block.size() - (has_checksums() ? kTailBytes : 0);
  if (type == BlockType::commit) return kCommitBytes;
  if (type == BlockType::revoke)
    return std::min<std::size_t>(load_be<std::uint32_t>(block, kHeaderBytes), end);
  const auto tags = tags_in(block);
  return tags.empty() ? kHeaderBytes : std::min(end, tags.back().offset + tags.back().bytes);
}

void JournalLog::change_tag(std::span<std::byte> descriptor, const Tag& tag, std::uint32_t difference,
                            bool is_escaped) const {
  const bool v3 = has_incompat(kChecksumV3);
  const std::span<const std::byte> bytes = descriptor;
  const std::uint32_t flip = is_escaped == tag.is_escaped ? 0U : std::uint32_t{kEscape};
  if (v3) {
    store_be(descriptor, tag.offset + 4, load_be<std::uint32_t>(bytes, tag.offset + 4) ^ flip);
    store_be(descriptor, tag.offset + 12, tag.checksum ^ difference);
    return;
  }
  const auto flags = load_be<std::uint16_t>(bytes, tag.offset + 6) ^ flip;
  store_be(descriptor, tag.offset + 6, static_cast<std::uint16_t>(flags));
  if (has_incompat(kChecksumV2))
    store_be(descriptor, tag.offset + 4, static_cast<std::uint16_t>(tag.checksum ^ difference));
}

// A commit block without a checksum is valid too. Source: e2fsck/recovery.c, do_one_pass()
bool JournalLog::confirms(std::span<const std::byte> commit, std::uint32_t transaction_checksum) {
  constexpr std::uint8_t kCrc32 = 1;
  const auto type = load_be<std::uint8_t>(commit, 12);
  const auto size = load_be<std::uint8_t>(commit, 13);
  const auto checksum = load_be<std::uint32_t>(commit, kCommitChecksum);
  if (type == 0 && size == 0 && checksum == 0) return true;
  return type == kCrc32 && size == sizeof checksum && checksum == transaction_checksum;
}

std::optional<std::vector<std::byte>> journal_map_of(const Superblock& superblock) {
  const ext2_super_block& raw = superblock.raw;
  if (raw.s_jnl_backup_type != EXT3_JNL_BACKUP_BLOCKS) return std::nullopt;
  std::vector<std::byte> bytes(Inode::kMapSize);
  for (std::size_t i = 0; i < bytes.size() / sizeof(std::uint32_t); ++i) {
    const std::uint32_t word = little_endian(raw.s_jnl_blocks[i]);
    std::memcpy(bytes.data() + i * sizeof word, &word, sizeof word);
  }
  return is_zero(bytes) ? std::nullopt : std::optional(std::move(bytes));
}

}  // namespace e2qcow::ext2
