// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/journal/journal_blocks.h"

#include <gtest/gtest.h>

#include "ext2/journal/recovery.h"
#include "ext2/structures/checksum.h"
#include "tests/support/extent_nodes.h"
#include "tests/support/journal_bytes.h"
#include "tests/support/strict_rules.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::uint64_t kJournalPlace = 100;  // of the journal
constexpr std::uint64_t kJournalLength = 20;
constexpr std::uint64_t kTable = 40;  // of inodes

// A file system with a journal in inode 8.
class JournalInDump : public testing::Test {
 protected:
  JournalInDump() {
    image_.superblock.raw.s_feature_compat = EXT3_FEATURE_COMPAT_HAS_JOURNAL;
    image_.superblock.raw.s_journal_inum = 8;
    image_.set_descriptor(0, Ext2Image::kInodeTable, kTable);
    Bytes inodes(1024);
    const auto inode = std::span(inodes).subspan(std::size_t{7} * 128, 128);
    set_le(inode, 0, S_IFREG, 2);
    set_le(inode, 4, kJournalLength * 1024, 4);
    set_le(inode, 26, 1, 2);
    set_le(inode, 32, EXT4_EXTENTS_FL, 4);
    std::ranges::copy(extent_leaf({{kJournalPlace, kJournalLength}}), inode.begin() + 40);
    image_.put_block(kTable, inodes);
  }
  // All blocks of the journal.
  std::vector<Bytes> anonymized(const JournalBytes& journal) {
    journal.put_into(image_, kJournalPlace);
    const Filesystem filesystem = image_.open();
    const JournalBlocks blocks(filesystem, plain_, {});
    std::vector<Bytes> result;
    stays_.clear();
    for (std::uint64_t i = 0; i < kJournalLength; ++i) {
      Bytes bytes(1024);
      image_.disk.read((kJournalPlace + i) * 1024, bytes);
      blocks.replace(kJournalPlace + i, bytes, replace_, tally_);
      result.push_back(bytes);
      stays_.push_back(blocks.stays(kJournalPlace + i));
    }
    return result;
  }
  // As the kernel would write these blocks.
  static void expect_equal(const std::vector<Bytes>& found, JournalBytes& expected) {
    for (std::uint64_t i = 0; i < kJournalLength; ++i) {
      Bytes bytes = expected.block(i);
      bytes.resize(1024);
      EXPECT_EQ(found[i], bytes) << i;
    }
  }

  Ext2Image image_{1024, 2000};
  // All bytes become 'n' in the blocks from 500 on.
  JournalBlocks::ReplaceTarget replace_ = [](std::uint64_t target, std::span<std::byte> bytes, Tally&) {
    EXPECT_GE(target, 500);
    std::ranges::fill(bytes, std::byte{'n'});
  };
  std::vector<bool> stays_;
  const StrictRules plain_ = test_rules(Strictness::plain);
  Tally tally_;
};

const Bytes kSecret = filled(1024, 's');
const Bytes kNew = filled(1024, 'n');

TEST_F(JournalInDump, IsAsIfItsCopiesHadBeenWrittenSo) {
  for (const int checksums : {0, 2, 3})
    for (const bool has_64bit : {false, true}) {
      const JournalBytes::Features features{.has_64bit = has_64bit, .checksums = checksums};
      JournalBytes journal(kJournalLength, features);
      JournalBytes expected(kJournalLength, features);
      journal.write({{500, kSecret}, {501, kSecret}});
      expected.write({{500, kNew}, {501, kNew}});
      for (JournalBytes* each : {&journal, &expected}) {
        each->revoke({600, 601});
        each->commit();
      }
      SCOPED_TRACE(checksums);
      expect_equal(anonymized(journal), expected);
    }
}

TEST_F(JournalInDump, HasNothingOfWhatIsOld) {
  JournalBytes journal(kJournalLength, {.checksums = 3});
  journal.write({{500, kSecret}});
  journal.commit();
  journal.block(10) = kSecret;
  const auto blocks = anonymized(journal);
  EXPECT_TRUE(is_zero(blocks[10]));
  EXPECT_FALSE(stays_[10]);
  for (const std::size_t i : {0, 1, 2, 3}) EXPECT_TRUE(stays_[i]) << i;
  EXPECT_FALSE(stays_[4]);
}

TEST_F(JournalInDump, HasNothingWhereItsBlocksAreNotInUse) {
  for (const int checksums : {0, 2, 3}) {
    const JournalBytes::Features features{.checksums = checksums};
    JournalBytes journal(kJournalLength, features);
    JournalBytes expected(kJournalLength, features);
    journal.write({{500, kSecret}});
    expected.write({{500, kNew}});
    for (JournalBytes* each : {&journal, &expected}) {
      each->revoke({600});
      each->commit();
    }
    const auto soil = [&](std::uint64_t block, std::uint64_t from, std::uint64_t to, std::uint64_t crc) {
      std::ranges::fill(std::span(journal.block(block)).subspan(from, to - from), std::byte{'s'});
      if (checksums != 0) journal.put_crc(journal.block(block), crc);
    };
    const std::uint64_t first_tag = JournalBytes::kTags + journal.tag_bytes();
    soil(1, first_tag, checksums == 0 ? 1024 : 1020, JournalBytes::kBlockCrc);  // its UUID, and the rest
    soil(3, 20, checksums == 0 ? 1024 : 1020, JournalBytes::kBlockCrc);
    soil(4, 60, 1024, JournalBytes::kCommitCrc);
    soil(4, 20, 48, JournalBytes::kCommitCrc);
    SCOPED_TRACE(checksums);
    expect_equal(anonymized(journal), expected);
  }
}

TEST_F(JournalInDump, KeepsWrongChecksumsWrong) {
  JournalBytes journal(kJournalLength, {.checksums = 3});
  JournalBytes expected(kJournalLength, {.checksums = 3});
  journal.write({{500, kSecret}});
  expected.write({{500, kNew}});
  for (JournalBytes* each : {&journal, &expected}) {
    each->commit();
    each->block(1)[JournalBytes::kTags + 12] ^= std::byte{1};  // of the copy
    each->put_crc(each->block(1), JournalBytes::kBlockCrc);
    each->block(1)[JournalBytes::kBlockCrc] ^= std::byte{1};
    each->block(3)[JournalBytes::kCommitCrc] ^= std::byte{1};
  }
  expect_equal(anonymized(journal), expected);
}

Bytes with_magic(Bytes block) {
  set_be(block, 0, JournalBytes::kMagic, 4);
  return block;
}

TEST_F(JournalInDump, EscapesCopiesThatBeginWithItsMagic) {
  for (const int checksums : {0, 2, 3}) {
    const JournalBytes::Features features{.checksums = checksums};
    JournalBytes journal(kJournalLength, features);
    JournalBytes expected(kJournalLength, features);
    replace_ = [](std::uint64_t target, std::span<std::byte> bytes, Tally&) {
      const bool has_magic =
          load_be<std::uint32_t>(std::span<const std::byte>(bytes), 0) == JournalBytes::kMagic;
      EXPECT_EQ(has_magic, target != 502);
      std::ranges::fill(bytes, std::byte{'n'});
      if (target != 501) set_be(bytes, 0, JournalBytes::kMagic, 4);
    };
    journal.write({{500, with_magic(kSecret)}, {501, with_magic(kSecret)}, {502, kSecret}});
    expected.write({{500, with_magic(kNew)}, {501, kNew}, {502, with_magic(kNew)}});
    SCOPED_TRACE(checksums);
    expect_equal(anonymized(journal), expected);
  }
}

// Source: the kernel's fs/jbd2/commit.c, jbd2_checksum_data()
TEST_F(JournalInDump, KeepsTheChecksumOfATransaction) {
  JournalBytes journal(kJournalLength, {});
  set_be(journal.block(0), 36, 1, 4);  // the feature
  journal.write({{500, kSecret}});
  journal.commit();
  const auto checksum_of = [](const Bytes& descriptor, const Bytes& copy) {
    return crc32_be(crc32_be(~0U, descriptor), copy);
  };
  Bytes& commit = journal.block(3);
  set_be(commit, 12, 1, 1);  // CRC32
  set_be(commit, 13, 4, 1);  // bytes
  set_be(commit, 16, checksum_of(journal.block(1), journal.block(2)), 4);
  const auto blocks = anonymized(journal);
  EXPECT_EQ(load_be<std::uint32_t>(blocks[3], 16), checksum_of(blocks[1], blocks[2]));
  EXPECT_EQ(blocks[2], kNew);
}

TEST_F(JournalInDump, HasOnlyItsSuperblockIfThereIsNothingToReplay) {
  JournalBytes journal(kJournalLength, {}, 1);
  journal.write({{500, kSecret}});
  set_be(journal.block(0), JournalBytes::kStart, 0, 4);
  std::ranges::fill(std::span(journal.block(0)).subspan(256), std::byte{'s'});  // its users
  const auto blocks = anonymized(journal);
  EXPECT_EQ(part_of(blocks[0], 0, 92), part_of(journal.block(0), 0, 92));
  EXPECT_TRUE(is_zero(std::span(blocks[0]).subspan(92)));
  for (std::size_t i = 1; i < kJournalLength; ++i) EXPECT_TRUE(is_zero(blocks[i])) << i;
}

TEST_F(JournalInDump, KeepsTheChecksumOfItsSuperblock) {
  for (const std::uint32_t wrong_by : {0U, 0x20U}) {
    JournalBytes journal(kJournalLength, {.checksums = 3});
    const auto right_checksum = [](Bytes block) {
      set_be(block, 252, 0, 4);
      return crc32c(~0U, block);
    };
    Bytes& superblock = journal.block(0);
    std::ranges::fill(std::span(superblock).subspan(100), std::byte{'s'});
    set_be(superblock, 252, right_checksum(superblock) ^ wrong_by, 4);
    const auto blocks = anonymized(journal);
    EXPECT_EQ(load_be<std::uint32_t>(blocks[0], 252), right_checksum(blocks[0]) ^ wrong_by);
    EXPECT_TRUE(is_zero(std::span(blocks[0]).subspan(256)));
  }
}

TEST_F(JournalInDump, IsZeroWithoutItsMagic) {
  JournalBytes journal(kJournalLength, {});
  journal.block(0) = kSecret;
  EXPECT_TRUE(is_zero(anonymized(journal)[0]));
}

TEST_F(JournalInDump, KnowsWhereTheCopiesOfABlockAre) {
  JournalBytes journal(kJournalLength, {});
  journal.write({{500, kSecret}});
  journal.commit();
  journal.write({{500, kSecret}, {501, kSecret}});
  journal.commit();
  journal.put_into(image_, kJournalPlace);
  const Filesystem filesystem = image_.open();
  const JournalBlocks blocks(filesystem, plain_, {});
  auto copies = blocks.copies_of(500);
  std::ranges::sort(copies);
  EXPECT_EQ(copies, (std::vector<std::uint64_t>{kJournalPlace + 2, kJournalPlace + 5}));
  EXPECT_TRUE(blocks.copies_of(502).empty());
  std::size_t count = 0;
  blocks.for_each_copy([&](std::uint64_t, std::uint64_t) { ++count; });
  EXPECT_EQ(count, 3);
}

TEST_F(JournalInDump, KeepsASuperblockWhoseInodeIsLost) {
  image_.superblock.raw.s_journal_inum = 0;
  JournalBytes journal(kJournalLength, {});
  journal.put_into(image_, kJournalPlace);
  const Filesystem filesystem = image_.open();
  const std::vector<std::uint64_t> candidates{kJournalPlace};
  EXPECT_TRUE(JournalBlocks(filesystem, plain_, candidates).stays(kJournalPlace));
  EXPECT_FALSE(JournalBlocks(filesystem, plain_, {}).stays(kJournalPlace));
}

}  // namespace
}  // namespace e2qcow::ext2
