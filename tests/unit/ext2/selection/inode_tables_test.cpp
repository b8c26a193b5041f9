// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/selection/inode_tables.h"

#include <gtest/gtest.h>

#include "tests/support/ext2_image.h"

namespace e2qcow::ext2 {
namespace {

using Entries = std::vector<Findings::Entry>;

// Eight groups of 128 blocks of 1 KiB; tables have four blocks.
class Tables : public testing::Test {
 protected:
  Tables() {
    image_.superblock.raw.s_blocks_per_group = image_.superblock.raw.s_clusters_per_group = 128;
    for (std::uint64_t group = 0; group < 8; ++group) put(group, 20 + group * 128);
  }
  void put(std::uint64_t group, std::uint64_t block) {
    image_.set_descriptor(group, Ext2Image::kInodeTable, block);
  }
  // That of each group.
  std::vector<BlockRun> tables() {
    const Filesystem filesystem = image_.open();
    const InodeTables tables(filesystem, findings_);
    std::vector<BlockRun> found;
    for (std::uint64_t group = 0; group < 8; ++group) found.push_back(tables.of(group));
    return found;
  }

  Ext2Image image_{1024, 1 + 8 * 128};
  Findings findings_;
};

TEST_F(Tables, AreAtTheBlocksOfTheDescriptors) {
  const auto found = tables();
  for (std::uint64_t group = 0; group < 8; ++group) EXPECT_EQ(found[group], (BlockRun{20 + group * 128, 4}));
  EXPECT_EQ(findings_.total(), 0);
}

TEST_F(Tables, AreCutAtTheEndOfTheDevice) {
  put(3, 1023);
  put(4, 5000);
  put(5, 0xffffffff);
  const auto found = tables();
  EXPECT_EQ(found[3], (BlockRun{1023, 2}));
  EXPECT_EQ(found[4].count, 0);
  EXPECT_EQ(found[5].count, 0);
}

TEST_F(Tables, AreNowhereIfNoDescriptorWasWritten) {
  for (std::uint64_t group = 0; group < 8; ++group) put(group, 0);
  for (const BlockRun& blocks : tables()) EXPECT_EQ(blocks.count, 0);
  EXPECT_EQ(findings_.total(), 0) << "that is InodeWalk's";
}

TEST_F(Tables, AreOfTheFirstGroupIfSomeOverlap) {
  for (std::uint64_t group = 2; group < 6; ++group) put(group, 500);
  const auto found = tables();
  EXPECT_EQ(found[2], (BlockRun{500, 4}));
  for (std::uint64_t group = 3; group < 6; ++group) EXPECT_EQ(found[group].count, 0) << group;
  EXPECT_EQ(findings_.entries(), (Entries{{Finding::overlapping_tables, 0, 500}}));
}

TEST_F(Tables, KeepTheBlocksThatNoOtherHas) {
  put(2, 500);
  put(3, 502);
  put(4, 503);
  const auto found = tables();
  EXPECT_EQ(found[2], (BlockRun{500, 4}));
  EXPECT_EQ(found[3], (BlockRun{504, 2}));
  EXPECT_EQ(found[4], (BlockRun{506, 1}));
}

TEST_F(Tables, DoNotOverlapIfTheyTouch) {
  put(2, 500);
  put(3, 504);
  EXPECT_EQ(tables()[3], (BlockRun{504, 4}));
  EXPECT_EQ(findings_.total(), 0);
}

TEST_F(Tables, OfGroupsWithInodesOfTheSuperblockAreWhole) {
  ext2_super_block& raw = image_.superblock.raw;
  raw.s_journal_inum = 2 * 32 + 1;
  raw.s_usr_quota_inum = 3 * 32 + 32;
  raw.s_grp_quota_inum = 4 * 32 + 5;
  raw.s_prj_quota_inum = 5 * 32 + 5;
  raw.s_orphan_file_inum = 6 * 32 + 5;
  for (std::uint64_t group = 0; group < 8; ++group) put(group, 500);
  const auto found = tables();
  for (const std::uint64_t group : {0, 2, 3, 4, 5, 6}) EXPECT_EQ(found[group], (BlockRun{500, 4})) << group;
  for (const std::uint64_t group : {1, 7}) EXPECT_EQ(found[group].count, 0) << group;
}

TEST_F(Tables, OfGroupsOfInvalidInodeNumbersAreNotKept) {
  ext2_super_block& raw = image_.superblock.raw;
  raw.s_journal_inum = raw.s_usr_quota_inum = 0xffffffff;
  for (std::uint64_t group = 0; group < 8; ++group) put(group, 500);
  const auto found = tables();
  for (std::uint64_t group = 1; group < 8; ++group) EXPECT_EQ(found[group].count, 0) << group;
}

}  // namespace
}  // namespace e2qcow::ext2
