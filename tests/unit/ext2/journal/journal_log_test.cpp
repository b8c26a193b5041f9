// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/journal/journal_log.h"

#include <gtest/gtest.h>

#include "tests/support/journal_bytes.h"

namespace e2qcow::ext2 {
namespace {

using Runs = std::vector<BlockRun>;
using Numbers = std::vector<std::uint64_t>;

constexpr std::uint64_t kFirstBlock = 100;  // of the journal

class Log : public testing::Test {
 protected:
  std::optional<JournalLog> open(const JournalBytes& journal) {
    return open(journal, {{kFirstBlock, journal.length()}});
  }
  std::optional<JournalLog> open(const JournalBytes& journal, Runs blocks) {
    journal.put_into(image_, kFirstBlock);
    filesystem_ = std::make_unique<Filesystem>(image_.open());
    return JournalLog::open(*filesystem_, std::move(blocks));
  }
  // The journal's superblock with a field changed.
  std::optional<JournalLog> open_with(std::uint64_t field, std::uint64_t value) {
    JournalBytes journal(32, {}, 5);
    set_be(journal.block(0), field, value, 4);
    return open(journal);
  }

  Ext2Image image_{1024, 2000};
  std::unique_ptr<Filesystem> filesystem_;
};

TEST_F(Log, BeginsAtTheBlockInTheSuperblock) {
  const auto log = open(JournalBytes(32, {}, 5, 77));
  ASSERT_TRUE(log);
  EXPECT_EQ(log->start(), 5);
  EXPECT_EQ(log->first_sequence(), 77);
  EXPECT_EQ(log->length(), 31);
}

TEST_F(Log, IsARingAfterTheSuperblock) {
  const auto log = open(JournalBytes(32, {}));
  ASSERT_TRUE(log);
  EXPECT_EQ(log->after(5), 6);
  EXPECT_EQ(log->after(30), 31);
  EXPECT_EQ(log->after(31), 1);
}

TEST_F(Log, EndsBeforeTheAreaOfFastCommits) {
  const auto log = open(JournalBytes(32, {.fast_commit_blocks = 8}));
  ASSERT_TRUE(log);
  EXPECT_EQ(log->length(), 23);
  EXPECT_EQ(log->after(23), 1);
}

TEST_F(Log, HasAnAreaOf256FastCommitBlocksIfNoNumberIsGiven) {
  JournalBytes journal(300, {});
  set_be(journal.block(0), 40, 0x20, 4);
  const auto log = open(journal);
  ASSERT_TRUE(log);
  EXPECT_EQ(log->length(), 300 - 256 - 1);
}

TEST_F(Log, IsNoLongerThanItsBlocks) {
  JournalBytes journal(32, {});
  set_be(journal.block(0), JournalBytes::kMaxLength, 0xffffffff, 4);
  const auto log = open(journal);
  ASSERT_TRUE(log);
  EXPECT_EQ(log->length(), 31);
}

TEST_F(Log, IsAbsentIfThereIsNothingToReplay) {
  EXPECT_TRUE(open_with(JournalBytes::kStart, 5));
  EXPECT_FALSE(open_with(JournalBytes::kStart, 0));
}

TEST_F(Log, IsAbsentIfItBeginsOutsideTheRing) {
  EXPECT_TRUE(open_with(JournalBytes::kStart, 31));
  for (const std::uint64_t start : {std::uint64_t{32}, std::uint64_t{0xffffffff}})
    EXPECT_FALSE(open_with(JournalBytes::kStart, start)) << start;
}

TEST_F(Log, IsAbsentIfItsSuperblockIsInvalid) {
  EXPECT_FALSE(open_with(0, 0xc03b3999)) << "magic";
  EXPECT_TRUE(open_with(4, 3)) << "version 1";
  for (const std::uint64_t type : {0, 1, 2, 5, 6}) EXPECT_FALSE(open_with(4, type)) << type;
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{4096}, std::uint64_t{0xffffffff}})
    EXPECT_FALSE(open_with(12, size)) << size;
  EXPECT_FALSE(open_with(JournalBytes::kMaxLength, 0)) << "length";
}

// e2fsck 1.47 does not check the start of the ring until it comes to its end.
TEST_F(Log, ExistsIfOnlyItsEndIsWrong) {
  for (const std::uint64_t first : {std::uint64_t{6}, std::uint64_t{32}, std::uint64_t{0xffffffff}}) {
    const auto log = open_with(JournalBytes::kFirst, first);
    ASSERT_TRUE(log) << first;
    EXPECT_EQ(log->start(), 5);
    EXPECT_EQ(log->after(30), 31);
    EXPECT_LE(log->length(), 32);
  }
}

TEST_F(Log, EndsWithItsBlocksIfItHasNoRing) {
  const auto log = open_with(JournalBytes::kFirst, 32);
  ASSERT_TRUE(log);
  EXPECT_TRUE(log->device_block_of(31));
  EXPECT_FALSE(log->device_block_of(log->after(31)));
}

TEST_F(Log, IsAbsentIfFastCommitsTakeItAll) {
  JournalBytes journal(32, {.fast_commit_blocks = 8});
  for (const std::uint64_t blocks : {std::uint64_t{32}, std::uint64_t{33}, std::uint64_t{0xffffffff}}) {
    set_be(journal.block(0), 0x54, blocks, 4);
    EXPECT_FALSE(open(journal)) << blocks;
  }
}

TEST_F(Log, IsAbsentIfItHasNoBlocks) {
  EXPECT_FALSE(open(JournalBytes(32, {}), {}));
  EXPECT_FALSE(open(JournalBytes(32, {}), {{0, 32}}));
}

TEST_F(Log, OfVersion1HasNoFeatures) {
  JournalBytes journal(32, {.has_64bit = true, .checksums = 3});
  set_be(journal.block(0), 4, 3, 4);
  const auto log = open(journal);
  ASSERT_TRUE(log);
  EXPECT_TRUE(log->has_right_checksum(JournalLog::BlockType::descriptor, filled(1024, 1)));
}

TEST_F(Log, KnowsThePlacesOfItsBlocks) {
  const auto log = open(JournalBytes(32, {}), {{kFirstBlock, 3}, {0, 2}, {500, 27}});
  ASSERT_TRUE(log);
  EXPECT_EQ(log->device_block_of(0), kFirstBlock);
  EXPECT_EQ(log->device_block_of(2), kFirstBlock + 2);
  EXPECT_EQ(log->device_block_of(3), std::nullopt);
  EXPECT_EQ(log->device_block_of(4), std::nullopt);
  EXPECT_EQ(log->device_block_of(5), 500);
  EXPECT_EQ(log->device_block_of(31), 526);
  EXPECT_EQ(log->device_block_of(32), std::nullopt);
  EXPECT_EQ(log->device_block_of(~0ULL), std::nullopt);
}

TEST_F(Log, ReadsNothingInAHole) {
  image_.put_block(500, filled(1024, 9));
  const auto log = open(JournalBytes(32, {}), {{kFirstBlock, 3}, {0, 2}, {500, 27}});
  ASSERT_TRUE(log);
  EXPECT_EQ(log->read(4), Bytes{});
  EXPECT_EQ(log->read(5), filled(1024, 9));
  EXPECT_EQ(log->read(32), Bytes{});
}

Numbers blocks_of(const std::vector<JournalLog::Tag>& tags) {
  Numbers blocks;
  for (const auto& tag : tags) blocks.push_back(tag.block);
  return blocks;
}

TEST_F(Log, DecodesTagsOfAllFormats) {
  for (const bool has_64bit : {false, true})
    for (const int checksums : {0, 2, 3}) {
      JournalBytes journal(32, {.has_64bit = has_64bit, .checksums = checksums});
      journal.write({{500, {}}, {(5ULL << 32) + 600, {}}, {700, {}}});
      const auto log = open(journal);
      ASSERT_TRUE(log);
      const std::uint64_t second = has_64bit ? (5ULL << 32) + 600 : 600;
      EXPECT_EQ(blocks_of(log->tags_in(journal.block(1))), (Numbers{500, second, 700}))
          << has_64bit << checksums;
    }
}

// 1012 bytes after the header hold tags of 8 bytes and one UUID of 16; the last 4 may be a checksum.
TEST_F(Log, DecodesNoMoreTagsThanFit) {
  for (const int checksums : {0, 2, 3}) {
    JournalBytes journal(32, {.checksums = checksums});
    const auto log = open(journal);
    Bytes descriptor = filled(1024, 0);  // each tag with a UUID after it, except the last
    const std::size_t bytes = journal.tag_bytes() + 16;
    const std::size_t room = 1024 - 12 - (checksums == 0 ? 0 : 4);
    EXPECT_EQ(log->tags_in(descriptor).size(), room / bytes + (room % bytes >= journal.tag_bytes() ? 1 : 0));
  }
}

// 12 bytes of header and 100 tags of 10 bytes leave 12 bytes, of which the checksum has 4.
TEST_F(Log, TakesNoChecksumForATag) {
  JournalBytes journal(32, {.checksums = 2});
  const auto log = open(journal);
  Bytes descriptor(1024);
  for (std::size_t tag = 12; tag + 10 <= 1024; tag += 10) set_be(descriptor, tag + 6, 2, 2);  // the same UUID
  EXPECT_EQ(log->tags_in(descriptor).size(), 100);
}

TEST_F(Log, DecodesRevocations) {
  for (const bool has_64bit : {false, true}) {
    JournalBytes journal(32, {.has_64bit = has_64bit});
    const Numbers revoked{1, 0xffffffff, has_64bit ? 7ULL << 32 : 7};
    journal.revoke(revoked);
    EXPECT_EQ(open(journal)->revocations_in(journal.block(1)), revoked);
  }
}

TEST_F(Log, DecodesNoMoreRevocationsThanFit) {
  JournalBytes journal(32, {});
  journal.revoke({1});
  Bytes& block = journal.block(1);
  const auto count_with = [&](std::uint64_t bytes) {
    set_be(block, 12, bytes, 4);
    return open(journal)->revocations_in(block).size();
  };
  EXPECT_EQ(count_with(0), 0);
  EXPECT_EQ(count_with(16), 0);
  EXPECT_EQ(count_with(19), 0);
  EXPECT_EQ(count_with(20), 1);
  EXPECT_EQ(count_with(1024), 252);
  EXPECT_EQ(count_with(0xffffffff), 252);
}

TEST(JournalMap, IsTheCopyInTheSuperblock) {
  Superblock superblock = plain_superblock(1024, 1000);
  superblock.raw.s_jnl_backup_type = EXT3_JNL_BACKUP_BLOCKS;
  for (std::uint32_t i = 0; i < 17; ++i) superblock.raw.s_jnl_blocks[i] = 0x04030201 + i;
  const auto map = journal_map_of(superblock);
  ASSERT_TRUE(map);
  ASSERT_EQ(map->size(), 60);
  EXPECT_EQ(part_of(*map, 0, 8), bytes_of({1, 2, 3, 4, 2, 2, 3, 4}));
  EXPECT_EQ(part_of(*map, 56, 4), bytes_of({15, 2, 3, 4}));
}

TEST(JournalMap, IsAbsentIfTheSuperblockHasNone) {
  Superblock superblock = plain_superblock(1024, 1000);
  superblock.raw.s_jnl_backup_type = EXT3_JNL_BACKUP_BLOCKS;
  EXPECT_FALSE(journal_map_of(superblock));
  superblock.raw.s_jnl_blocks[3] = 1;
  EXPECT_TRUE(journal_map_of(superblock));
  superblock.raw.s_jnl_backup_type = 0;
  EXPECT_FALSE(journal_map_of(superblock));
}

}  // namespace
}  // namespace e2qcow::ext2
