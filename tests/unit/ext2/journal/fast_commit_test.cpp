// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/journal/fast_commit.h"

#include <gtest/gtest.h>

#include "ext2/structures/checksum.h"
#include "tests/support/journal_bytes.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::uint64_t kPlace = 100;  // of the journal
constexpr std::uint64_t kLength = 40;
constexpr std::uint64_t kArea = 32;  // start of the area of fast commits

// Tags. Source: the kernel's fs/ext4/fast_commit.h
constexpr int kUnlink = 5;
constexpr int kInode = 6;
constexpr int kPadding = 7;
constexpr int kTail = 8;
constexpr int kHead = 9;

void put_number(Bytes& bytes, std::uint64_t value, int width) {
  const std::size_t place = bytes.size();
  bytes.resize(place + static_cast<std::size_t>(width));
  set_le(bytes, place, value, width);
}

class FastCommit : public testing::Test {
 protected:
  // Behind what is in the block already.
  void put(std::uint64_t block, int tag, const Bytes& value) {
    Bytes& bytes = blocks_[block];
    put_number(bytes, static_cast<std::uint64_t>(tag), 2);
    put_number(bytes, value.size(), 2);
    bytes.insert(bytes.end(), value.begin(), value.end());
    const auto added = std::span(bytes).last(4 + value.size());
    crc_ = crc32c(crc_, added);
  }
  void put_head(std::uint64_t block, std::uint32_t sequence) {
    Bytes value(4);  // features
    put_number(value, sequence, 4);
    put(block, kHead, value);
  }
  void put_inode(std::uint64_t block, std::uint64_t number, int filling, std::size_t size = 160) {
    Bytes value;
    put_number(value, number, 4);
    value.resize(4 + size, static_cast<std::byte>(filling));
    put(block, kInode, value);
  }
  // It ends the block.
  void put_tail(std::uint64_t block, std::uint32_t sequence) {
    Bytes begin;
    const std::uint64_t length = 1024 - blocks_[block].size() - 4;
    put_number(begin, kTail, 2);
    put_number(begin, length, 2);
    put_number(begin, sequence, 4);
    Bytes value(begin.begin() + 4, begin.end());
    put_number(value, crc32c(crc_, begin), 4);
    value.resize(length);
    put(block, kTail, value);
    crc_ = 0;
  }
  // The numbers of the inodes that count for sequence 7.
  std::vector<std::uint64_t> inodes() {
    JournalBytes journal(kLength, {.fast_commit_blocks = kLength - kArea});
    for (const auto& [block, bytes] : blocks_) {
      journal.block(kArea + block) = bytes;
      journal.block(kArea + block).resize(1024);
    }
    journal.put_into(image_, kPlace);
    const Filesystem filesystem = image_.open();
    const auto log = JournalLog::open(filesystem, {{kPlace, kLength}});
    std::vector<std::uint64_t> numbers;
    for (const FastInode& inode : inodes_in_fast_commits(*log, 7)) numbers.push_back(inode.number);
    return numbers;
  }

  std::uint32_t crc_ = 0;  // of what was put since the last tail
  std::map<std::uint64_t, Bytes> blocks_;
  Ext2Image image_{1024, 2000};
};

using Numbers = std::vector<std::uint64_t>;

TEST_F(FastCommit, HasInodes) {
  put_head(1, 7);
  put(1, kUnlink, filled(20, 1));
  put_inode(1, 12, 5);
  put_inode(1, 13, 6, 128);
  put_tail(1, 7);
  EXPECT_EQ(inodes(), (Numbers{12, 13}));
}

TEST_F(FastCommit, ContinuesInTheNextBlocks) {
  put_head(1, 7);
  put_inode(1, 12, 5);
  put(1, kPadding, Bytes(1024 - blocks_[1].size() - 4));
  put_inode(2, 13, 5);
  put_tail(2, 7);
  put_inode(3, 14, 5);
  put_tail(3, 7);
  EXPECT_EQ(inodes(), (Numbers{12, 13, 14}));
}

TEST_F(FastCommit, IsOfTheSequenceThatIsNext) {
  put_head(1, 6);
  put_inode(1, 12, 5);
  put_tail(1, 6);
  EXPECT_EQ(inodes(), Numbers{});
}

TEST_F(FastCommit, EndsAtTheFirstOlderOne) {
  put_head(1, 7);
  put_inode(1, 12, 5);
  put_tail(1, 7);
  put_inode(2, 13, 5);
  put_tail(2, 6);
  EXPECT_EQ(inodes(), (Numbers{12}));
}

TEST_F(FastCommit, IsNoneWithoutItsTail) {
  put_head(1, 7);
  put_inode(1, 12, 5);
  EXPECT_EQ(inodes(), Numbers{});
}

TEST_F(FastCommit, IsNoneIfItsChecksumIsWrong) {
  put_head(1, 7);
  put_inode(1, 12, 1);
  put_tail(1, 7);
  put_head(2, 7);
  put_inode(2, 13, 1);
  put_tail(2, 7);
  EXPECT_EQ(inodes(), (std::vector<std::uint64_t>{12, 13}));
  blocks_[2][100] ^= std::byte{1};
  EXPECT_EQ(inodes(), (std::vector<std::uint64_t>{12}));
}

TEST_F(FastCommit, BeginsWithAHead) {
  put_inode(1, 12, 5);
  put_tail(1, 7);
  EXPECT_EQ(inodes(), Numbers{});
}

TEST_F(FastCommit, EndsIfATagIsInvalid) {
  for (const int tag : {0, 10, 0xffff}) {
    blocks_.clear();
    put_head(1, 7);
    put_inode(1, 12, 5);
    put_tail(1, 7);
    put(2, tag, filled(4, 1));
    put_inode(2, 13, 5);
    put_tail(2, 7);
    EXPECT_EQ(inodes(), (Numbers{12})) << tag;
  }
}

TEST_F(FastCommit, HasNoInodeThatIsTooShort) {
  put_head(1, 7);
  put_inode(1, 12, 5, 127);
  put(1, kInode, {});
  put_tail(1, 7);
  EXPECT_EQ(inodes(), Numbers{});
}

TEST_F(FastCommit, ReadsNothingPastItsBlock) {
  put_head(1, 7);
  put_inode(1, 12, 5);
  put_tail(1, 7);
  put_number(blocks_[2], kInode, 2);
  put_number(blocks_[2], 1024 - 3, 2);
  EXPECT_EQ(inodes(), (Numbers{12}));
}

}  // namespace
}  // namespace e2qcow::ext2
