// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/interpretation/interpretations.h"

#include <gtest/gtest.h>

#include "tests/support/extent_nodes.h"
#include "tests/support/journal_bytes.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::uint64_t kJournal = 100;

// Two groups of 8192 blocks of 1 KiB; the second has a copy of the superblock and of the descriptors. Inode 8
// is a journal.
class Interpretations : public testing::Test {
 protected:
  Interpretations() : journal_(32, {}) {
    ext2_super_block& raw = image_.superblock.raw;
    raw.s_feature_compat = EXT3_FEATURE_COMPAT_HAS_JOURNAL;
    raw.s_journal_inum = 8;
    raw.s_inodes_count = 64;
    image_.set_descriptor(0, Ext2Image::kInodeTable, 20);
    image_.set_descriptor(1, Ext2Image::kInodeTable, 30);
    Bytes inodes(1024);
    const auto inode = std::span(inodes).subspan(7 * 128, 128);
    set_le(inode, 32, EXT4_EXTENTS_FL, 4);
    std::ranges::copy(extent_leaf({{kJournal, 32}}), inode.begin() + 40);
    image_.put_block(20, inodes);
  }

  void put_copy(std::uint64_t block, const Superblock& superblock, std::uint64_t second_table) {
    Bytes descriptors(1024);
    set_le(descriptors, 8, 20, 4);
    set_le(descriptors, 32 + 8, second_table, 4);
    image_.put_block(block, superblock_bytes(superblock));
    image_.put_block(block + 1, descriptors);
  }
  std::vector<Interpretation> interpretations() {
    journal_.put_into(image_, kJournal);
    image_.put_block(1, superblock_bytes(image_.superblock));
    filesystem_ = std::make_unique<Filesystem>(image_.open());
    return other_interpretations(*filesystem_);
  }

  Ext2Image image_{1024, 16385};
  JournalBytes journal_;
  std::unique_ptr<Filesystem> filesystem_;
};

TEST_F(Interpretations, AreNoOthersOfAHealthyFileSystem) {
  put_copy(8193, image_.superblock, 30);
  EXPECT_EQ(interpretations().size(), 0);
}

TEST_F(Interpretations, IncludeTheFileSystemAfterReplay) {
  journal_.write({{500, filled(1024, 7)}});
  journal_.commit();
  const auto found = interpretations();
  ASSERT_EQ(found.size(), 1);
  ASSERT_TRUE(found[0].replayed);
  Bytes block(1024);
  found[0].filesystem->file.read(500 * 1024, block);
  EXPECT_EQ(block, filled(1024, 7));
}

TEST_F(Interpretations, HaveTheDescriptorsOfTheReplayedFileSystem) {
  Bytes descriptors(1024);
  set_le(descriptors, 32 + 8, 40, 4);
  journal_.write({{2, descriptors}});
  journal_.commit();
  const auto found = interpretations();
  ASSERT_EQ(found.size(), 1);
  EXPECT_EQ(filesystem_->descriptors.inode_table(1), 30);
  EXPECT_EQ(found[0].filesystem->descriptors.inode_table(1), 40);
}

TEST_F(Interpretations, HaveTheSuperblockOfTheReplayedFileSystem) {
  Superblock newer = image_.superblock;
  newer.raw.s_inode_size = 256;
  journal_.write({{1, superblock_bytes(newer)}});
  journal_.commit();
  const auto found = interpretations();
  ASSERT_EQ(found.size(), 1);
  EXPECT_EQ(found[0].filesystem->geometry.inode_size(), 256);
}

TEST_F(Interpretations, KeepTheSuperblockIfTheReplayedOneIsInvalid) {
  journal_.write({{1, filled(1024, 0xff)}});
  journal_.commit();
  const auto found = interpretations();
  ASSERT_EQ(found.size(), 1);
  EXPECT_EQ(found[0].filesystem->geometry.blocks(), 16385);
}

TEST_F(Interpretations, IncludeTheBlocksThatACopyNames) {
  put_copy(8193, image_.superblock, 50);
  const auto found = interpretations();
  ASSERT_EQ(found.size(), 1);
  EXPECT_EQ(found[0].replayed, nullptr);
  EXPECT_EQ(found[0].filesystem->superblock.offset, 8193 * 1024);
  EXPECT_EQ(found[0].filesystem->descriptors.inode_table(1), 50);
}

TEST_F(Interpretations, AreReplayedEach) {
  put_copy(8193, image_.superblock, 50);
  journal_.write({{500, filled(1024, 7)}});
  journal_.commit();
  const auto found = interpretations();
  ASSERT_EQ(found.size(), 3);
  EXPECT_TRUE(found[0].replayed);
  EXPECT_FALSE(found[1].replayed);
  EXPECT_TRUE(found[2].replayed);
  EXPECT_EQ(found[2].filesystem->descriptors.inode_table(1), 50);
}

// One in each group, and each tells something else.
TEST(ManyViews, AreAtMostEight) {
  Ext2Image image(1024, 1 + 20 * 256);
  image.superblock.raw.s_blocks_per_group = image.superblock.raw.s_clusters_per_group = 256;
  for (std::uint64_t group = 1; group < 20; ++group) {
    Superblock copy = image.superblock;
    copy.raw.s_inodes_per_group = static_cast<std::uint32_t>(32 + 8 * group);
    image.put_block(1 + group * 256, superblock_bytes(copy));
  }
  const Filesystem filesystem = image.open();
  const auto found = other_interpretations(filesystem);
  EXPECT_GE(found.size(), 3);
  EXPECT_LE(found.size(), kMaxInterpretations);
}

}  // namespace
}  // namespace e2qcow::ext2
