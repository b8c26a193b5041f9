// SPDX-License-Identifier: GPL-2.0-or-later
// Which file systems are walked as e2image walks them; what it selects there is compared with e2image itself,
// in tests/integration.
#include "e2image_compat/e2image_selection.h"

#include <gtest/gtest.h>

#include "tests/support/ext2_image.h"

namespace e2qcow::compat {
namespace {

using ext2::Ext2Image;

// One group with 32 inodes of 128 bytes in four blocks from 20 on; 2000 blocks of 1 KiB.
class HealthyWalkTest : public testing::Test {
 protected:
  HealthyWalkTest() {
    image_.set_descriptor(0, Ext2Image::kBlockBitmap, 10);
    image_.set_descriptor(0, Ext2Image::kInodeBitmap, 11);
    image_.set_descriptor(0, Ext2Image::kInodeTable, 20);
  }

  void put_inode(std::uint64_t number, std::uint64_t mode, std::uint64_t links, std::uint64_t first_block) {
    const auto inode = std::span(table_).subspan((number - 1) * 128, 128);
    set_le(inode, 0, mode, 2);
    set_le(inode, 26, links, 2);
    set_le(inode, 40, first_block, 4);
  }
  bool walk() {
    for (std::uint64_t i = 0; i < 4; ++i) image_.put_block(20 + i, part_of(table_, i * 1024, 1024));
    const ext2::Filesystem filesystem = image_.open();
    ext2::Selection selection;
    if (!looks_healthy(filesystem, DumpKind::metadata)) return false;
    const bool healthy = E2imageWalk(filesystem, {}, selection, findings_).run();
    marks_ = selection.added_blocks();
    return healthy;
  }

  Ext2Image image_{1024, 2000};
  Bytes table_ = Bytes(4096);
  ext2::Findings findings_;
  std::uint64_t marks_ = 0;
};

TEST_F(HealthyWalkTest, CountsSuperblockDescriptorsBitmapsAndTables) {
  EXPECT_TRUE(walk());
  EXPECT_EQ(marks_, 1 + 1 + 2 + 4);
}

TEST_F(HealthyWalkTest, CountsContentsOfDirectoriesAndNotOfFiles) {
  put_inode(2, 0040755, 2, 100);
  put_inode(12, 0100644, 1, 101);
  EXPECT_TRUE(walk());
  EXPECT_EQ(marks_, 8 + 1);
}

TEST_F(HealthyWalkTest, ReadsTheTargetOfALinkFromABlockIfTheLinkHasBlocks) {
  put_inode(12, 0120777, 1, 101);
  set_le(table_, 11 * 128 + 28, 2, 4);    // sectors
  put_inode(13, 0120777, 1, 0x656d616e);  // "name"
  set_le(table_, 12 * 128 + 4, 4, 4);     // its length
  EXPECT_TRUE(walk());
  EXPECT_EQ(marks_, 8 + 1);
}

TEST_F(HealthyWalkTest, DoesNotTakeAnAttributeBlockOfALinkForItsTarget) {
  put_inode(13, 0120777, 1, 0x656d616e);
  set_le(table_, 12 * 128 + 4, 4, 4);
  set_le(table_, 12 * 128 + 28, 2, 4);
  set_le(table_, 12 * 128 + 104, 200, 4);  // the attributes
  EXPECT_TRUE(walk());
  EXPECT_EQ(marks_, 8 + 1);
}

TEST_F(HealthyWalkTest, IsNotForOrphans) {
  put_inode(12, 0100644, 0, 101);
  EXPECT_FALSE(walk());
}

TEST_F(HealthyWalkTest, LeavesDeletedInodesOut) {
  put_inode(12, 0040755, 0, 101);
  set_le(table_, 11 * 128 + 20, 1'700'000'000, 4);  // when
  EXPECT_TRUE(walk());
  EXPECT_EQ(marks_, 8);
}

TEST_F(HealthyWalkTest, IsNotForADeletedJournalThatTheSuperblockNames) {
  image_.superblock.raw.s_journal_inum = 12;
  put_inode(12, 0100600, 0, 101);
  set_le(table_, 11 * 128 + 20, 1'700'000'000, 4);  // when
  EXPECT_FALSE(walk());
}

TEST_F(HealthyWalkTest, IsNotForListsOfBadBlocks) {
  put_inode(1, 0, 0, 500);
  EXPECT_FALSE(walk());
}

TEST_F(HealthyWalkTest, IsNotForBlocksThatDoNotExist) {
  put_inode(2, 0040755, 2, 5000);
  EXPECT_FALSE(walk());
  EXPECT_EQ(findings_.total(), 1);
}

TEST_F(HealthyWalkTest, IsNotForFileSystemsThatSayThatTheyHaveErrors) {
  image_.superblock.raw.s_state = EXT2_ERROR_FS;
  EXPECT_FALSE(walk());
}

}  // namespace
}  // namespace e2qcow::compat
