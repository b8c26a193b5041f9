// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/selection/block_bitmaps.h"

#include <gtest/gtest.h>

#include "base/file/salvaging_file.h"
#include "tests/support/ext2_image.h"

namespace e2qcow::ext2 {
namespace {

using Runs = std::vector<BlockRun>;
using Entries = std::vector<Findings::Entry>;

std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> bytes) {
  return ext2fs_crc32c_le(crc, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

// Three groups of 128 blocks of 1 KiB from block 1 on, of which the last is 40 blocks short. The bitmap of
// group g is in block 10 + g.
class BlockBitmaps : public testing::Test {
 protected:
  BlockBitmaps() {
    image_.superblock.raw.s_blocks_per_group = image_.superblock.raw.s_clusters_per_group = 128;
    for (std::uint64_t group = 0; group < 3; ++group)
      image_.set_descriptor(group, Ext2Image::kBlockBitmap, 10 + group);
  }

  void use_checksums(std::uint32_t ro_compat) { image_.superblock.raw.s_feature_ro_compat = ro_compat; }
  // With the checksum of metadata_csum in the descriptor.
  void put_bitmap_with_checksum(std::uint64_t group, const Bytes& bitmap) {
    const std::uint32_t checksum = crc32c(seed(), std::span(bitmap).first(128 / 8));
    image_.set_descriptor(group, Ext2Image::kBlockBitmapChecksum, checksum & 0xffff);
    image_.put_block(10 + group, bitmap);
  }
  // After all else in it.
  void put_checksum_of_descriptor(std::uint64_t group) {
    image_.set_descriptor(group, Ext2Image::kChecksum, 0);
    Bytes number(4);
    set_le(number, 0, group, 4);
    const std::uint32_t checksum = crc32c(crc32c(seed(), number), image_.descriptor(group));
    image_.set_descriptor(group, Ext2Image::kChecksum, checksum & 0xffff);
  }

  void select(BlockRun groups) { select_through(image_.disk, groups); }
  void select_through(const ReadableFile& file, BlockRun groups) {
    const Filesystem filesystem = image_.open_through(file);
    Selection selection;
    select_blocks_in_use(filesystem, groups, {}, selection, findings_);
    runs_ = runs_of(std::move(selection).sorted(), BlockClass::data);
  }

  std::uint32_t seed() const { return crc32c(~0U, std::as_bytes(std::span(image_.superblock.raw.s_uuid))); }

  Ext2Image image_{1024, 1 + 3 * 128 - 40};
  Findings findings_;
  Runs runs_;
};

Bytes bitmap_with(const std::vector<std::pair<std::uint64_t, std::uint64_t>>& runs_of_bits) {
  Bytes bitmap(1024);
  for (const auto& [first, count] : runs_of_bits)
    for (std::uint64_t bit = first; bit < first + count; ++bit) bitmap[bit / 8] |= std::byte{1} << (bit % 8);
  return bitmap;
}

TEST_F(BlockBitmaps, SelectTheBlocksWhoseBitsAreSet) {
  image_.put_block(10, bitmap_with({{0, 3}, {60, 10}, {127, 1}}));
  image_.put_block(11, bitmap_with({{5, 1}}));
  select({0, 2});
  EXPECT_EQ(runs_, (Runs{{1, 3}, {61, 10}, {128, 1}, {134, 1}}));
  EXPECT_EQ(findings_.total(), 0);
}

TEST_F(BlockBitmaps, SelectRunsOfAnyLengthAtAnyPlaceInAWord) {
  for (std::uint64_t first = 0; first < 128; ++first)
    for (const std::uint64_t count : {1, 2, 7, 63, 64, 65, 128}) {
      if (first + count > 128) continue;
      image_.put_block(10, bitmap_with({{first, count}}));
      select({0, 1});
      ASSERT_EQ(runs_, (Runs{{1 + first, count}}));
    }
}

TEST_F(BlockBitmaps, SelectNothingOfGroupsThatAreNotAskedFor) {
  for (std::uint64_t group = 0; group < 3; ++group) image_.put_block(10 + group, bitmap_with({{0, 128}}));
  select({1, 1});
  EXPECT_EQ(runs_, (Runs{{129, 128}}));
}

TEST_F(BlockBitmaps, SelectNothingPastTheLastBlock) {
  image_.put_block(12, bitmap_with({{80, 8192 - 80}}));
  select({2, 1});
  EXPECT_EQ(runs_, (Runs{{1 + 2 * 128 + 80, 8}}));
}

TEST_F(BlockBitmaps, SelectWholeClusters) {
  image_.superblock.raw.s_feature_ro_compat = EXT4_FEATURE_RO_COMPAT_BIGALLOC;
  image_.superblock.raw.s_log_cluster_size = 2;
  image_.superblock.raw.s_clusters_per_group = 32;
  image_.put_block(10, bitmap_with({{0, 1}, {30, 2}}));
  image_.put_block(11, bitmap_with({{1, 2}}));
  image_.put_block(12, bitmap_with({{21, 11}}));  // of which 21 and 22 are clusters of the file system
  select({0, 3});
  EXPECT_EQ(runs_, (Runs{{0, 4}, {120, 8}, {132, 8}, {256 + 84, 5}}));
}

TEST_F(BlockBitmaps, SelectTheWholeGroupIfABitmapIsOutsideTheFileSystem) {
  image_.set_descriptor(1, Ext2Image::kBlockBitmap, 5000);
  select({1, 1});
  EXPECT_EQ(runs_, (Runs{{129, 128}}));
  EXPECT_EQ(findings_.entries(), (Entries{{Finding::bad_block_bitmap, 0, 5000}}));
}

TEST_F(BlockBitmaps, SelectTheWholeGroupIfABitmapHasNoBlock) {
  image_.set_descriptor(1, Ext2Image::kBlockBitmap, 0);
  select({1, 1});
  EXPECT_EQ(runs_, (Runs{{129, 128}}));
}

TEST_F(BlockBitmaps, AreBelievedIfTheirChecksumIsRight) {
  use_checksums(EXT4_FEATURE_RO_COMPAT_METADATA_CSUM);
  put_bitmap_with_checksum(1, bitmap_with({{3, 4}}));
  select({1, 1});
  EXPECT_EQ(runs_, (Runs{{132, 4}}));
  EXPECT_EQ(findings_.total(), 0);
}

TEST_F(BlockBitmaps, SelectTheWholeGroupIfTheirChecksumIsWrong) {
  use_checksums(EXT4_FEATURE_RO_COMPAT_METADATA_CSUM);
  put_bitmap_with_checksum(1, bitmap_with({{3, 4}}));
  image_.put_block(11, bitmap_with({{3, 3}}));
  select({1, 1});
  EXPECT_EQ(runs_, (Runs{{129, 128}}));
  EXPECT_EQ(findings_.entries(), (Entries{{Finding::bad_block_bitmap, 0, 11}}));
}

TEST_F(BlockBitmaps, AreNotReadIfADescriptorProvesThatTheyWereNeverWritten) {
  use_checksums(EXT4_FEATURE_RO_COMPAT_METADATA_CSUM);
  image_.put_block(11, filled(1024, 0xff));
  image_.set_descriptor(1, Ext2Image::kFlags, EXT2_BG_BLOCK_UNINIT);
  put_checksum_of_descriptor(1);
  select({1, 1});
  EXPECT_EQ(runs_, Runs{});
  EXPECT_EQ(findings_.total(), 0);
}

TEST_F(BlockBitmaps, AreReadIfAFlagSaysThatTheyWereNeverWrittenWithoutProof) {
  image_.put_block(11, bitmap_with({{3, 4}}));
  image_.set_descriptor(1, Ext2Image::kFlags, EXT2_BG_BLOCK_UNINIT);
  select({1, 1});
  EXPECT_EQ(runs_, (Runs{{132, 4}}));
}

// With uninit_bg a bitmap has no checksum of its own: nothing says that what is in the block is one.
TEST_F(BlockBitmaps, SelectTheWholeGroupIfTheDescriptorThatNamesThemIsDamaged) {
  use_checksums(EXT4_FEATURE_RO_COMPAT_GDT_CSUM);
  image_.put_block(20, bitmap_with({}));
  image_.set_descriptor(1, Ext2Image::kBlockBitmap, 20);
  select({1, 1});
  EXPECT_EQ(runs_, (Runs{{129, 128}}));
  EXPECT_GE(findings_.total(), 1);
}

TEST_F(BlockBitmaps, SelectTheWholeGroupIfTheyCannotBeRead) {
  image_.put_block(11, bitmap_with({{3, 4}}));
  image_.disk.make_unreadable({11 * 1024, 1024});
  select_through(SalvagingFile(image_.disk, {.block_size = 1024}), {1, 1});
  EXPECT_EQ(runs_, (Runs{{129, 128}}));
}

}  // namespace
}  // namespace e2qcow::ext2
