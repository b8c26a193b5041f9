// SPDX-License-Identifier: GPL-2.0-or-later
// Run by ./dev tsan.
#include "ext2/selection/select.h"

#include <gtest/gtest.h>

#include "tests/support/ext2_image.h"
#include "tests/support/extent_nodes.h"

namespace e2qcow::ext2 {
namespace {

// 31 groups of 64 blocks of 1 KiB from block 1 on. In each: bitmaps at 10 and 11, an inode table at 12 to
// 15, whose first inode is a file of which only an extent node, at 20, is metadata; data at 30 to 39.
class SelectBlocks : public testing::Test {
 protected:
  SelectBlocks() {
    image_.superblock.raw.s_blocks_per_group = image_.superblock.raw.s_clusters_per_group = 64;
    image_.superblock.raw.s_feature_ro_compat = EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER;
    Bytes inodes(1024);
    set_le(inodes, 0, 0100644, 2);
    set_le(inodes, 32, 0x80000, 4);
    Bytes bitmap(8);
    set_le(bitmap, 0, 0x3ffULL << 30, 8);
    for (std::uint64_t group = 0; group < kGroups; ++group) {
      const std::uint64_t first = 1 + group * 64;
      image_.set_descriptor(group, Ext2Image::kBlockBitmap, first + 10);
      image_.set_descriptor(group, Ext2Image::kInodeBitmap, first + 11);
      image_.set_descriptor(group, Ext2Image::kInodeTable, first + 12);
      std::ranges::copy(extent_index(1, {first + 20}), inodes.begin() + 40);
      image_.put_block(first + 10, bitmap);
      image_.put_block(first + 11, filled(1024, 0xff));
      image_.put_block(first + 12, inodes);
      image_.put_block(first + 20, extent_leaf({{first + 30, 10}}));
      for (std::uint64_t i = 30; i < 40; ++i) image_.put_block(first + i, filled(1024, 1));
    }
  }
  SelectedExtents select(const SelectOptions& options) {
    return select_blocks(image_.open(), options, findings_);
  }

  static constexpr std::uint64_t kGroups = 31;
  Ext2Image image_{1024, 1 + kGroups * 64};
  Findings findings_;
};

constexpr std::uint64_t bytes_of_class(const SelectedExtents& selected, BlockClass block_class) {
  return selected.class_bytes[static_cast<std::size_t>(block_class)];
}

TEST_F(SelectBlocks, TakesMetadataOfEveryGroupAndNoContents) {
  const SelectedExtents selected = select({.kind = DumpKind::metadata});
  for (const BlockClass block_class : {BlockClass::block_bitmaps, BlockClass::inode_bitmaps,
                                       BlockClass::inode_tables, BlockClass::extent_trees})
    EXPECT_EQ(bytes_of_class(selected, block_class), kGroups * 1024) << static_cast<int>(block_class);
  EXPECT_EQ(bytes_of_class(selected, BlockClass::data), 0);
  EXPECT_EQ(findings_.total(), 0);
}

TEST_F(SelectBlocks, TakesMetadataAndAllBlocksInUse) {
  const SelectedExtents selected = select({.kind = DumpKind::all});
  EXPECT_EQ(bytes_of_class(selected, BlockClass::extent_trees), kGroups * 1024);
  EXPECT_EQ(bytes_of_class(selected, BlockClass::data), (kGroups - 1) * 10 * 1024);
}

TEST_F(SelectBlocks, TakesTheSameWithAnyNumberOfThreads) {
  const SelectedExtents expected = select({.kind = DumpKind::all, .threads = 1});
  for (const unsigned threads : {2U, 3U, 8U}) {
    const SelectedExtents selected = select({.kind = DumpKind::all, .threads = threads});
    EXPECT_EQ(selected.extents, expected.extents);
    EXPECT_EQ(selected.class_bytes, expected.class_bytes);
  }
}

// The zeros of the inode tables are in no image, but were read to know that.
TEST_F(SelectBlocks, RemembersWhatItLookedAtWithoutReadingMore) {
  const SelectedExtents plain = select({});
  const std::size_t reads = image_.disk.reads().size();
  const SelectedExtents selected = select({.remember = true});
  EXPECT_EQ(image_.disk.reads().size(), 2 * reads);
  EXPECT_EQ(selected.extents, plain.extents);
  Selection expected;
  for (const Extent& extent : plain.extents)
    expected.add(BlockClass::data, {extent.offset / 1024, extent.length / 1024});
  for (std::uint64_t group = 0; group < kGroups; ++group)
    expected.add(BlockClass::data, {1 + group * 64 + 12, 4});
  expected.add(BlockClass::data, {0, 2});                    // holes: the boot block and the superblock,
  for (const std::uint64_t group : {1, 3, 5, 7, 9, 25, 27})  // its backups
    expected.add(BlockClass::data, {1 + group * 64, 2});
  std::vector<Extent> extents;
  for (const auto& [blocks, unused] : std::move(expected).sorted())
    extents.push_back({blocks.first * 1024, blocks.count * 1024});
  EXPECT_EQ(selected.looked_at, extents);
  EXPECT_EQ(plain.looked_at, std::vector<Extent>{});
}

TEST_F(SelectBlocks, ThrowsWhatAThreadThrows) {
  image_.disk.make_unreadable({(1 + 30 * 64 + 12) * 1024, 1024});
  for (const unsigned threads : {1U, 3U}) EXPECT_THROW(select({.threads = threads}), std::system_error);
}

TEST_F(SelectBlocks, ReportsThatABackupIsUsed) {
  image_.superblock.offset = 65 * 1024;
  select({});
  EXPECT_EQ(findings_.summary()[Finding::backup_superblock].count, 1);
  EXPECT_EQ(findings_.summary()[Finding::short_device].count, 0);
}

TEST_F(SelectBlocks, ReportsThatThePrimaryHadToBeRepaired) {
  image_.superblock.is_repaired = true;
  select({});
  EXPECT_EQ(findings_.summary()[Finding::repaired_superblock].first.block, 1);
}

// As mke2fs -O journal_dev makes it.
TEST(SelectJournalDevice, TakesAllOfIt) {
  SparseFile disk(1 << 20);
  Superblock superblock = plain_superblock(1024, 1000);
  superblock.raw.s_feature_incompat = EXT3_FEATURE_INCOMPAT_JOURNAL_DEV;
  superblock.raw.s_inodes_count = superblock.raw.s_inodes_per_group = 0;
  disk.put(1024, superblock_bytes(superblock));
  disk.put(500 * 1024, filled(10 * 1024, 1));
  disk.put(1000 * 1024, filled(1024, 1));  // past its end
  Findings findings;
  const SelectedExtents selected = select_blocks(Filesystem(disk, superblock), {}, findings);
  EXPECT_EQ(selected.extents, (std::vector<Extent>{{0, 1000 * 1024}}));
  EXPECT_EQ(bytes_of_class(selected, BlockClass::journal), 998 * 1024);
  EXPECT_EQ(findings.total(), 0);
}

// A primary superblock that lies about the size of blocks, 1 KiB; a backup knows it.
class WrongBlockSize : public testing::TestWithParam<std::uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Logs, WrongBlockSize, testing::Values(1, 2, 3, 6));

TEST_P(WrongBlockSize, DoesNotChangeWhatTheBackupMeans) {
  Ext2Image image(1024, 20'000);
  image.set_descriptor(2, Ext2Image::kInodeTable, 17'001);
  Bytes inodes(1024);
  set_le(inodes, 0, 0040755, 2);
  std::ranges::copy(pointers({18'003}), inodes.begin() + 40);
  image.put_block(17'001, inodes);
  image.put_block(18'003, filled(1024, 1));
  image.put_block(8193, superblock_bytes(image.superblock));
  Bytes descriptors(1024);
  set_le(descriptors, 2 * 32 + 8, 17'001, 4);
  image.put_block(8194, descriptors);
  Superblock wrong = image.superblock;
  wrong.raw.s_log_block_size = GetParam();
  wrong.raw.s_inodes_count = 1000;
  image.open();
  Findings findings;
  const SelectedExtents selected = select_blocks(Filesystem(image.disk, wrong), {}, findings);
  for (const std::uint64_t block : {17'001, 18'003, 8193}) {
    const Extent bytes{block * 1024, 1024};
    const bool found = std::ranges::any_of(selected.extents, [&](const Extent& extent) {
      return extent.offset <= bytes.offset && bytes.end() <= extent.end();
    });
    EXPECT_TRUE(found) << block;
  }
}

TEST_F(SelectBlocks, ReportsThatTheDeviceIsShort) {
  image_.superblock.raw.s_blocks_count += 100;
  select({});
  EXPECT_EQ(findings_.summary()[Finding::short_device].count, 1);
}

}  // namespace
}  // namespace e2qcow::ext2
