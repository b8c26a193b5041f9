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
TEST(Superblock, IsNotOneOfAJournalDeviceIfThereAreInodes) {
  Superblock superblock = plain_superblock(1024, 1000);
  superblock.raw.s_feature_incompat = EXT3_FEATURE_INCOMPAT_JOURNAL_DEV;
  EXPECT_FALSE(superblock.is_journal_device());
}

TEST(ReadSuperblock, FindsNothingAtTheEndOfTheFile) {
  SparseFile disk(2048);
  disk.put(1024, superblock_bytes(plain_superblock(1024, 1000)));
  EXPECT_TRUE(read_superblock(disk, 1024));
  EXPECT_FALSE(read_superblock(disk, 1025));
  EXPECT_FALSE(read_superblock(disk, ~0ULL));
  EXPECT_FALSE(read_superblock(SparseFile(1023), 0));
}

TEST(ReadRepairedPrimary, FindsNothingInBytesThatAreAllOnes) {
  SparseFile disk(2048);
  disk.put(0, filled(2048, 0xff));
  EXPECT_FALSE(read_repaired_primary(disk));
}

// So many blocks that rounding up their number would begin with 0 again.
TEST(ReadRepairedPrimary, DividesTheInodesAmongTheMostGroupsThereCanBe) {
  Superblock superblock = plain_superblock(1024, ~0ULL);
  superblock.raw.s_feature_incompat = EXT4_FEATURE_INCOMPAT_64BIT;
  superblock.raw.s_inodes_per_group = 0;
  superblock.raw.s_inodes_count = 1000;
  SparseFile disk(2048);
  disk.put(1024, superblock_bytes(superblock));
  const auto repaired = read_repaired_primary(disk);
  ASSERT_TRUE(repaired);
  EXPECT_EQ(repaired->raw.s_inodes_per_group, 1);
  EXPECT_TRUE(repaired->is_repaired);
}

TEST(Superblock, CountsBlocksWith64BitsOnlyIfItsFeaturesSaySo) {
  Superblock superblock = plain_superblock(4096, (5ULL << 32) + 7);
  EXPECT_EQ(superblock.blocks(), 7);
  superblock.raw.s_feature_incompat = EXT4_FEATURE_INCOMPAT_64BIT;
  EXPECT_EQ(superblock.blocks(), (5ULL << 32) + 7);
}

}  // namespace
}  // namespace e2qcow::ext2
