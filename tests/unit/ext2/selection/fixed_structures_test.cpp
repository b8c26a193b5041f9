// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/selection/fixed_structures.h"

#include <gtest/gtest.h>

#include "tests/support/ext2_image.h"

namespace e2qcow::ext2 {
namespace {

using enum BlockClass;
using Runs = std::vector<BlockRun>;
using Entries = std::vector<Findings::Entry>;

// Four groups of 1000 blocks of 1 KiB from block 1 on, with both bitmaps after the descriptors.
class FixedStructures : public testing::Test {
 protected:
  FixedStructures() {
    image_.superblock.raw.s_blocks_per_group = 1000;
    image_.superblock.raw.s_feature_ro_compat = EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER;
    for (std::uint64_t group = 0; group < 4; ++group) {
      image_.set_descriptor(group, Ext2Image::kBlockBitmap, group * 1000 + 11);
      image_.set_descriptor(group, Ext2Image::kInodeBitmap, group * 1000 + 12);
    }
  }
  void select() {
    Selection selection;
    select_fixed_structures(image_.open(), selection, findings_);
    runs_ = std::move(selection).sorted();
  }
  Runs runs(BlockClass block_class) const { return runs_of(runs_, block_class); }

  Ext2Image image_{1024, 4001};
  Findings findings_;
  std::vector<Selection::ClassRun> runs_;
};

TEST_F(FixedStructures, AreTheBootBlockAndEverySuperblock) {
  select();
  EXPECT_EQ(runs(superblocks), (Runs{{0, 2}, {1001, 1}, {3001, 1}}));
  EXPECT_EQ(findings_.total(), 0);
}

TEST_F(FixedStructures, AreTheDescriptorsAndTheirBackups) {
  select();
  EXPECT_EQ(runs(group_descriptors), (Runs{{2, 1}, {1002, 1}, {3002, 1}}));
}

TEST_F(FixedStructures, AreBothBitmapsOfEveryGroup) {
  select();
  EXPECT_EQ(runs(block_bitmaps), (Runs{{11, 1}, {1011, 1}, {2011, 1}, {3011, 1}}));
  EXPECT_EQ(runs(inode_bitmaps), (Runs{{12, 1}, {1012, 1}, {2012, 1}, {3012, 1}}));
}

TEST_F(FixedStructures, IncludeBitmapsDespiteFlags) {
  image_.set_descriptor(1, Ext2Image::kFlags, EXT2_BG_BLOCK_UNINIT | EXT2_BG_INODE_UNINIT);
  select();
  EXPECT_EQ(runs(block_bitmaps).size(), 4);
  EXPECT_EQ(runs(inode_bitmaps).size(), 4);
}

TEST_F(FixedStructures, AreTheMmpBlockIfThereIsOne) {
  image_.superblock.raw.s_mmp_block = 500;
  select();
  EXPECT_EQ(runs(mmp), Runs{});
  image_.superblock.raw.s_feature_incompat = EXT4_FEATURE_INCOMPAT_MMP;
  select();
  EXPECT_EQ(runs(mmp), (Runs{{500, 1}}));
}

TEST_F(FixedStructures, NoteBitmapsThatAreOutsideTheFileSystem) {
  image_.set_descriptor(1, Ext2Image::kBlockBitmap, 5000);
  image_.set_descriptor(2, Ext2Image::kInodeBitmap, 0);
  select();
  EXPECT_EQ(runs(block_bitmaps), (Runs{{11, 1}, {2011, 1}, {3011, 1}}));
  EXPECT_EQ(findings_.entries(),
            (Entries{{Finding::bad_group_descriptor, 0, 0}, {Finding::bad_group_descriptor, 0, 5000}}));
}

TEST(FixedStructuresOf4KiBBlocks, BeginWithTheBlockThatHoldsTheSuperblock) {
  Ext2Image image(4096, 1000);
  Selection selection;
  Findings findings;
  select_fixed_structures(image.open(), selection, findings);
  const auto runs = std::move(selection).sorted();
  EXPECT_EQ(runs_of(runs, superblocks), (Runs{{0, 1}}));
  EXPECT_EQ(runs_of(runs, group_descriptors), (Runs{{1, 1}}));
}

}  // namespace
}  // namespace e2qcow::ext2
