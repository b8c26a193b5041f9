// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/journal/fast_commit_area.h"

#include <gtest/gtest.h>

#include "ext2/structures/checksum.h"
#include "tests/support/journal_bytes.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::uint64_t kAreaPlace = 100;  // of the journal
constexpr std::uint64_t kAreaLength = 40;
constexpr std::uint64_t kArea = 32;  // start of the area of fast commits

// Tags. Source: the kernel's fs/ext4/fast_commit.h
constexpr int kAddRange = 1;
constexpr int kDelRange = 2;
constexpr int kCreat = 3;
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

class FastCommits : public testing::Test {
 protected:
  // After what is in the block already.
  void put(std::uint64_t block, int tag, const Bytes& value) {
    Bytes& bytes = blocks_[block];
    put_number(bytes, static_cast<std::uint64_t>(tag), 2);
    put_number(bytes, value.size(), 2);
    bytes.insert(bytes.end(), value.begin(), value.end());
  }
  void put_head(std::uint64_t block, std::uint32_t sequence) {
    Bytes value(4);  // features
    put_number(value, sequence, 4);
    put(block, kHead, value);
  }
  void put_entry(std::uint64_t block, int tag, const std::string& name) {
    Bytes value;
    put_number(value, 12, 4);  // the directory
    put_number(value, 13, 4);
    const Bytes text = text_bytes(name);
    value.insert(value.end(), text.begin(), text.end());
    put(block, tag, value);
  }
  void put_inode(std::uint64_t block, std::size_t size) {
    Bytes value;
    put_number(value, 13, 4);
    value.resize(4 + size, std::byte{'s'});
    put(block, kInode, value);
  }
  // It ends the block; `first` is where its checksum begins.
  void put_tail(std::uint64_t first, std::uint64_t block, std::uint32_t sequence,
                std::uint32_t wrong_by = 0) {
    Bytes value = filled(1024 - blocks_[block].size() - 4, 's');
    set_le(value, 0, sequence, 4);
    const std::size_t place = blocks_[block].size() + 4 + 4;
    put(block, kTail, value);
    set_le(blocks_[block], place, right_checksum(blocks_, first, block, place) ^ wrong_by, 4);
    checksum_place_ = place;
  }
  static std::uint32_t right_checksum(const std::map<std::uint64_t, Bytes>& blocks, std::uint64_t first,
                                      std::uint64_t last, std::size_t place) {
    std::uint32_t crc = 0;
    for (std::uint64_t block = first; block < last; ++block) crc = crc32c(crc, blocks.at(block));
    return crc32c(crc, std::span(blocks.at(last)).first(place));
  }
  FastCommitArea area() {
    JournalBytes journal(kAreaLength, {.fast_commit_blocks = kAreaLength - kArea});
    for (const auto& [block, bytes] : blocks_) {
      journal.block(kArea + block) = bytes;
      journal.block(kArea + block).resize(1024);
    }
    journal.put_into(image_, kAreaPlace);
    const Filesystem filesystem = image_.open();
    const auto log = JournalLog::open(filesystem, {{kAreaPlace, kAreaLength}});
    return {*log, 7};
  }
  // By their number in the area.
  std::map<std::uint64_t, Bytes> anonymized() {
    const FastCommitRules rules{[](std::uint32_t directory, std::string_view name, Tally&) {
                                  EXPECT_EQ(directory, 12);
                                  return std::string(name.size(), 'n');
                                },
                                [this](std::uint32_t inode, std::span<std::byte> bytes, Tally&) {
                                  EXPECT_EQ(inode, 13);
                                  inode_sizes_.push_back(bytes.size());
                                  std::ranges::fill(bytes, std::byte{'i'});
                                }};
    std::map<std::uint64_t, Bytes> result;
    for (auto& [block, bytes] : area().anonymized(rules, tally_)) {
      EXPECT_EQ(bytes.size(), 1024);
      result.emplace(block - kAreaPlace - kArea, bytes);
    }
    return result;
  }
  static bool has(const std::map<std::uint64_t, Bytes>& blocks, char byte) {
    return std::ranges::any_of(blocks, [&](const auto& block) {
      return std::ranges::find(block.second, static_cast<std::byte>(byte)) != block.second.end();
    });
  }

  std::size_t checksum_place_ = 0;  // of the last tail
  std::map<std::uint64_t, Bytes> blocks_;
  std::vector<std::size_t> inode_sizes_;
  Ext2Image image_{1024, 2000};
  Tally tally_;
};

TEST_F(FastCommits, HaveNewNames) {
  put_head(1, 7);
  put_entry(1, kCreat, "sssss");
  put_entry(1, kUnlink, "sss");
  put_tail(1, 1, 7);
  const auto names = area().names();
  ASSERT_EQ(names.size(), 2);
  EXPECT_EQ(names[0].directory, 12);
  EXPECT_EQ(names[0].name, "sssss");
  EXPECT_EQ(names[1].name, "sss");
  const auto result = anonymized();
  ASSERT_EQ(result.size(), 1);
  EXPECT_EQ(part_of(result.at(1), 12 + 4 + 8, 5), filled(5, 'n'));
  EXPECT_FALSE(has(result, 's'));
}

TEST_F(FastCommits, HaveNewInodes) {
  put_head(1, 7);
  put_inode(1, 160);
  put_tail(1, 1, 7);
  const auto result = anonymized();
  EXPECT_EQ(inode_sizes_, std::vector<std::size_t>{160});
  EXPECT_EQ(part_of(result.at(1), 12 + 4 + 4, 160), filled(160, 'i'));
  EXPECT_FALSE(has(result, 's'));
}

// Nothing can be said of a part of one.
TEST_F(FastCommits, HaveNothingInAnInodeThatIsTooShort) {
  put_head(1, 7);
  for (const std::size_t size : {0, 1, 127}) put_inode(1, size);
  put_tail(1, 1, 7);
  const auto result = anonymized();
  EXPECT_TRUE(inode_sizes_.empty());
  EXPECT_FALSE(has(result, 's'));
  EXPECT_EQ(tally_.not_parsed, 2);
}

TEST_F(FastCommits, HaveNothingAfterTheFieldsOfARecord) {
  put_head(1, 7);
  Bytes add_range = filled(40, 's');
  std::ranges::fill(std::span(add_range).first(16), std::byte{1});
  put(1, kAddRange, add_range);
  Bytes del_range = filled(40, 's');
  std::ranges::fill(std::span(del_range).first(12), std::byte{1});
  put(1, kDelRange, del_range);
  put(1, kPadding, filled(40, 's'));
  put_tail(1, 1, 7);
  const auto result = anonymized();
  EXPECT_EQ(part_of(result.at(1), 12 + 4, 16), filled(16, 1));
  EXPECT_EQ(part_of(result.at(1), 12 + 44 + 4, 12), filled(12, 1));
  EXPECT_FALSE(has(result, 's'));
}

TEST_F(FastCommits, KeepARightChecksumRightAndAWrongOneWrong) {
  for (const std::uint32_t wrong_by : {0U, 0x80U}) {
    blocks_.clear();
    put_head(1, 7);
    put_entry(1, kCreat, "sssss");
    put(1, kPadding, Bytes(1024 - blocks_[1].size() - 4));
    put_inode(2, 160);
    put_tail(1, 2, 7, wrong_by);
    const auto result = anonymized();
    ASSERT_EQ(result.size(), 2);
    EXPECT_EQ(load_le<std::uint32_t>(result.at(2), checksum_place_),
              right_checksum(result, 1, 2, checksum_place_) ^ wrong_by);
  }
}

TEST_F(FastCommits, AreOfTheSequenceThatIsNext) {
  put_head(1, 6);
  put_entry(1, kCreat, "sssss");
  put_tail(1, 1, 6);
  EXPECT_TRUE(area().names().empty());
  EXPECT_TRUE(anonymized().empty());
}

TEST_F(FastCommits, AreNoneWithoutATail) {
  put_head(1, 7);
  put_entry(1, kCreat, "sssss");
  EXPECT_TRUE(anonymized().empty());
}

TEST_F(FastCommits, EndAtTheFirstOlderOne) {
  put_head(1, 7);
  put_entry(1, kCreat, "sssss");
  put_tail(1, 1, 7);
  put_entry(2, kCreat, "sssss");
  put_tail(2, 2, 6);
  EXPECT_EQ(anonymized().size(), 1);
}

TEST_F(FastCommits, AreNoneInAnEmptyArea) {
  EXPECT_TRUE(FastCommitArea().names().empty());
  EXPECT_TRUE(anonymized().empty());
}

}  // namespace
}  // namespace e2qcow::ext2
