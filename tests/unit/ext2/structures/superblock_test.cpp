// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/structures/superblock.h"

#include <gtest/gtest.h>

#include "tests/support/ext2_image.h"

namespace e2qcow::ext2 {
namespace {

class MakesSense : public testing::Test {
 protected:
  bool makes_sense() const {
    SparseFile disk(1 << 20);
    disk.put(1024, superblock_bytes(superblock_));
    return read_superblock(disk, 1024).has_value();
  }
  Superblock superblock_ = plain_superblock(1024, 1000);
};

TEST_F(MakesSense, APlainSuperblock) {
  EXPECT_TRUE(makes_sense());
}

TEST_F(MakesSense, NothingWithoutTheMagic) {
  superblock_.raw.s_magic = 0xef54;
  EXPECT_FALSE(makes_sense());
}

TEST_F(MakesSense, BlocksOfUpTo64KiB) {
  superblock_.raw.s_log_block_size = 6;
  EXPECT_TRUE(makes_sense());
  for (const std::uint32_t log : {7U, 32U, 0xffffffffU}) {
    superblock_.raw.s_log_block_size = log;
    EXPECT_FALSE(makes_sense()) << log;
  }
}

// Also of more inodes than a bitmap block can count: e2fsck looks into such file systems.
TEST_F(MakesSense, InodesThatLibext2fsAccepts) {
  superblock_.raw.s_inodes_per_group = 24832;
  EXPECT_TRUE(makes_sense());
  for (const std::uint32_t inodes : {0U, 65537U, 0xffffffffU}) {
    superblock_.raw.s_inodes_per_group = inodes;
    EXPECT_FALSE(makes_sense()) << inodes;
  }
}

TEST_F(MakesSense, GroupsOfAtLeastEightBlocks) {
  superblock_.raw.s_blocks_per_group = 8;
  EXPECT_TRUE(makes_sense());
  superblock_.raw.s_blocks_per_group = 7;
  EXPECT_FALSE(makes_sense());
}

TEST_F(MakesSense, BlocksThatLibext2fsAccepts) {
  superblock_.raw.s_blocks_per_group = 8200;
  EXPECT_TRUE(makes_sense());
  superblock_.raw.s_blocks_per_group = 65537;
  EXPECT_FALSE(makes_sense());
}

TEST_F(MakesSense, NotAFileSystemOfNoBlocks) {
  superblock_.raw.s_blocks_count = 0;
  EXPECT_FALSE(makes_sense());
}

// As mke2fs -O journal_dev makes it.
TEST_F(MakesSense, AJournalDeviceWithoutGroupsAndInodes) {
  superblock_.raw.s_feature_incompat = EXT3_FEATURE_INCOMPAT_JOURNAL_DEV;
  superblock_.raw.s_inodes_count = superblock_.raw.s_inodes_per_group = 0;
  superblock_.raw.s_blocks_per_group = 0;
  EXPECT_TRUE(superblock_.is_journal_device());
  EXPECT_TRUE(makes_sense());
  superblock_.raw.s_blocks_count = 0;
  EXPECT_FALSE(makes_sense());
}

// Or a single wrong bit would make contents of files a part of a journal.
TEST(Superblock, IsNotOneOfAJournalDeviceWhereThereAreInodes) {
  Superblock superblock = plain_superblock(1024, 1000);
  superblock.raw.s_feature_incompat = EXT3_FEATURE_INCOMPAT_JOURNAL_DEV;
  EXPECT_FALSE(superblock.is_journal_device());
}

TEST(ReadSuperblock, FindsNothingWhereTheFileEnds) {
  SparseFile disk(2048);
  disk.put(1024, superblock_bytes(plain_superblock(1024, 1000)));
  EXPECT_TRUE(read_superblock(disk, 1024));
  EXPECT_FALSE(read_superblock(disk, 1025));
  EXPECT_FALSE(read_superblock(disk, ~0ULL));
  EXPECT_FALSE(read_superblock(SparseFile(1023), 0));
}

TEST(Superblock, CountsBlocksWith64BitsOnlyWhereItsFeaturesSaySo) {
  Superblock superblock = plain_superblock(4096, (5ULL << 32) + 7);
  EXPECT_EQ(superblock.blocks(), 7);
  superblock.raw.s_feature_incompat = EXT4_FEATURE_INCOMPAT_64BIT;
  EXPECT_EQ(superblock.blocks(), (5ULL << 32) + 7);
}

TEST(Describe, BringsWhatTheSuperblockSays) {
  Superblock superblock = plain_superblock(2048, (1ULL << 32) + 100);
  ext2_super_block& raw = superblock.raw;
  std::memcpy(raw.s_volume_name, "sixteen-letters!", 16);
  std::memcpy(raw.s_last_mounted, "/mnt", 5);
  for (std::uint8_t i = 0; i < 16; ++i) raw.s_uuid[i] = static_cast<std::uint8_t>(i * 17);
  raw.s_feature_compat = EXT3_FEATURE_COMPAT_HAS_JOURNAL;
  raw.s_feature_incompat = EXT4_FEATURE_INCOMPAT_64BIT | EXT3_FEATURE_INCOMPAT_RECOVER;
  raw.s_feature_ro_compat = EXT4_FEATURE_RO_COMPAT_METADATA_CSUM;
  raw.s_state = EXT2_VALID_FS | EXT2_ERROR_FS;
  raw.s_free_blocks_count = 50;
  raw.s_free_blocks_hi = 1;
  raw.s_inodes_count = 1000;
  raw.s_free_inodes_count = 900;
  raw.s_error_count = 3;
  const Description description = describe(superblock);
  EXPECT_EQ(description.label, "sixteen-letters!");
  EXPECT_EQ(description.last_mounted, "/mnt");
  EXPECT_EQ(description.uuid, "00112233-4455-6677-8899-aabbccddeeff");
  EXPECT_EQ(description.features, "has_journal needs_recovery 64bit metadata_csum");
  EXPECT_EQ(description.state, "clean with errors");
  EXPECT_EQ(description.block_size, 2048);
  EXPECT_EQ(description.blocks, (1ULL << 32) + 100);
  EXPECT_EQ(description.free_blocks, (1ULL << 32) + 50);
  EXPECT_EQ(description.size(), ((1ULL << 32) + 100) * 2048);
  EXPECT_EQ(description.inodes, 1000);
  EXPECT_EQ(description.free_inodes, 900);
  EXPECT_EQ(description.error_count, 3);
  EXPECT_TRUE(description.needs_recovery);
}

TEST(Describe, SaysWhetherTheFileSystemIsClean) {
  Superblock superblock = plain_superblock(1024, 100);
  superblock.raw.s_state = 0;
  EXPECT_EQ(describe(superblock).state, "not clean");
  superblock.raw.s_state = EXT2_VALID_FS;
  EXPECT_EQ(describe(superblock).state, "clean");
  EXPECT_FALSE(describe(superblock).needs_recovery);
}

}  // namespace
}  // namespace e2qcow::ext2
