// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <vector>

#include "tests/support/ext2_image.h"

namespace e2qcow::ext2 {

// A journal by hand: blocks of 1 KiB, written as the kernel does. Source: include/linux/jbd2.h
class JournalBytes {
 public:
  struct Features {
    bool has_64bit = false;
    int checksums = 0;  // version: none, 2 or 3
    std::uint64_t fast_commit_blocks = 0;
  };
  struct Write {
    std::uint64_t block;  // of the file system
    Bytes data;
  };
  static constexpr std::uint64_t kBlockSize = 1024;
  static constexpr std::uint32_t kMagic = 0xc03b3998;
  static constexpr std::uint64_t kStart = 28;       // in the superblock
  static constexpr std::uint64_t kMaxLength = 16;   // the same
  static constexpr std::uint64_t kFirst = 20;       // the same
  static constexpr std::uint64_t kTags = 12;        // in a descriptor
  static constexpr std::uint64_t kUuidBytes = 16;   // behind the first tag
  static constexpr std::uint64_t kCommitCrc = 16;   // in a commit block
  static constexpr std::uint64_t kBlockCrc = 1020;  // in a descriptor or revoke block

  // The log begins at block `start` with transaction `sequence`, and wraps after the last block.
  JournalBytes(std::uint64_t length, const Features& features, std::uint64_t start = 1,
               std::uint32_t sequence = 7)
      : features_(features),
        blocks_(length, Bytes(kBlockSize)),
        end_(length - features.fast_commit_blocks),
        position_(start),
        sequence_(sequence) {
    Bytes& superblock = header(blocks_[0], 4, 0);
    set_be(superblock, 12, kBlockSize, 4);
    set_be(superblock, kMaxLength, length, 4);
    set_be(superblock, kFirst, 1, 4);
    set_be(superblock, 24, sequence, 4);
    set_be(superblock, kStart, start, 4);
    const std::uint64_t incompat = (features.has_64bit ? 2U : 0U) + (features.checksums == 2 ? 8U : 0U) +
                                   (features.checksums == 3 ? 0x10U : 0U) +
                                   (features.fast_commit_blocks != 0 ? 0x20U : 0U);
    set_be(superblock, 40, incompat, 4);
    std::ranges::fill(std::span(superblock).subspan(48, 16), std::byte{0x77});
    set_be(superblock, 0x54, features.fast_commit_blocks, 4);
  }

  // One descriptor with the blocks it describes; returns its position.
  std::uint64_t write(const std::vector<Write>& writes) {
    const std::uint64_t place = position_;
    Bytes& descriptor = header(next(), 1, sequence_);
    std::uint64_t tag = kTags;
    for (std::size_t i = 0; i < writes.size(); ++i) {
      const bool is_last = i + 1 == writes.size();
      put_tag(std::span(descriptor).subspan(tag, tag_bytes()), writes[i], i != 0, is_last);
      tag += tag_bytes() + (i == 0 ? kUuidBytes : 0);
    }
    if (features_.checksums != 0) put_crc(descriptor, kBlockCrc);
    return place;
  }
  std::uint64_t revoke(const std::vector<std::uint64_t>& blocks) {
    const std::uint64_t place = position_;
    Bytes& block = header(next(), 5, sequence_);
    const int width = features_.has_64bit ? 8 : 4;
    set_be(block, 12, 16 + blocks.size() * static_cast<std::uint64_t>(width), 4);
    for (std::size_t i = 0; i < blocks.size(); ++i)
      set_be(block, 16 + i * static_cast<std::uint64_t>(width), blocks[i], width);
    if (features_.checksums != 0) put_crc(block, kBlockCrc);
    return place;
  }
  std::uint64_t commit() {
    const std::uint64_t place = position_;
    Bytes& block = header(next(), 2, sequence_++);
    if (features_.checksums != 0) put_crc(block, kCommitCrc);
    return place;
  }

  std::size_t tag_bytes() const {
    if (features_.checksums == 3) return 16;
    return (features_.has_64bit ? 12U : 8U) + (features_.checksums == 2 ? 2U : 0U);
  }
  Bytes& block(std::uint64_t position) { return blocks_[position]; }
  std::uint64_t length() const { return blocks_.size(); }
  void put_into(Ext2Image& image, std::uint64_t first_block) const {
    for (std::size_t i = 0; i < blocks_.size(); ++i)
      if (!is_zero(blocks_[i])) image.put_block(first_block + i, blocks_[i]);
  }

  // After a change in a block with a checksum that must stay right.
  void put_crc(Bytes& block, std::uint64_t place) const {
    set_be(block, place, 0, 4);
    set_be(block, place, crc(seed(), block), 4);
  }

 private:
  static std::uint32_t crc(std::uint32_t begin, const Bytes& bytes) {
    return ext2fs_crc32c_le(begin, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  }
  static std::uint32_t seed() { return crc(~0U, filled(16, 0x77)); }

  Bytes& next() {
    Bytes& block = blocks_[position_];
    position_ = position_ + 1 == end_ ? 1 : position_ + 1;
    return block;
  }
  static Bytes& header(Bytes& block, std::uint64_t type, std::uint32_t sequence) {
    block.assign(kBlockSize, std::byte{0});
    set_be(block, 0, kMagic, 4);
    set_be(block, 4, type, 4);
    set_be(block, 8, sequence, 4);
    return block;
  }
  void put_tag(std::span<std::byte> tag, const Write& write, bool has_same_uuid, bool is_last) {
    Bytes data = write.data;
    data.resize(kBlockSize);
    const bool is_escaped = load_be<std::uint32_t>(data, 0) == kMagic;
    if (is_escaped) set_be(data, 0, 0, 4);
    next() = data;
    Bytes number;
    put_be(number, sequence_, 4);
    const std::uint32_t checksum = crc(crc(seed(), number), data);
    const std::uint64_t flags = (is_escaped ? 1U : 0U) + (has_same_uuid ? 2U : 0U) + (is_last ? 8U : 0U);
    set_be(tag, 0, write.block & 0xffffffff, 4);
    if (features_.checksums == 3) {
      set_be(tag, 4, flags, 4);
      set_be(tag, 12, checksum, 4);
    } else {
      set_be(tag, 6, flags, 2);
      if (features_.checksums == 2) set_be(tag, 4, checksum & 0xffff, 2);
    }
    if (features_.has_64bit) set_be(tag, 8, write.block >> 32, 4);
  }

  Features features_;
  std::vector<Bytes> blocks_;
  std::uint64_t end_;
  std::uint64_t position_;
  std::uint32_t sequence_;
};

}  // namespace e2qcow::ext2
