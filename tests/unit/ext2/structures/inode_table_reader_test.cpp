// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/structures/inode_table_reader.h"

#include <gtest/gtest.h>

#include "tests/support/ext2_image.h"

namespace e2qcow::ext2 {
namespace {

// Two groups of 2000 blocks of 1 KiB, with 2400 inodes of 128 bytes, eight in a block, from the blocks 100
// and 2100 on.
class InodeTableReaderTest : public testing::Test {
 protected:
  InodeTableReaderTest() {
    image_.superblock.raw.s_blocks_per_group = image_.superblock.raw.s_clusters_per_group = 2000;
    image_.superblock.raw.s_inodes_per_group = 2400;
    image_.superblock.raw.s_inodes_count = 4800;
    image_.set_descriptor(0, Ext2Image::kInodeTable, 100);
    image_.set_descriptor(1, Ext2Image::kInodeTable, 2100);
  }
  // `index` is that of an inode in the block.
  static Bytes block_with_inode(std::uint64_t index, std::uint64_t mode) {
    Bytes bytes(1024);
    set_le(bytes, index * 128, mode, 2);
    return bytes;
  }
  // Number and mode of each inode in these blocks of the group's table.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> inodes_in(std::uint64_t group, BlockRun blocks) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> found;
    const Filesystem filesystem = image_.open();
    InodeTableReader reader(filesystem);
    for (const auto& part : reader.parts_of(group, blocks))
      reader.for_each_inode(
          part, [&](std::uint64_t number, const Inode& inode) { found.emplace_back(number, inode.mode()); });
    return found;
  }

  Ext2Image image_{1024, 4001};
};

using Inodes = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

TEST_F(InodeTableReaderTest, NumbersInodesFromOneThroughAllGroups) {
  image_.put_block(100, block_with_inode(0, 7));
  image_.put_block(101, block_with_inode(1, 8));
  image_.put_block(2102, block_with_inode(2, 9));
  EXPECT_EQ(inodes_in(0, {100, 300}), (Inodes{{1, 7}, {10, 8}}));
  EXPECT_EQ(inodes_in(1, {2100, 300}), (Inodes{{2400 + 2 * 8 + 3, 9}}));
}

TEST_F(InodeTableReaderTest, NumbersThemTheSameWhenItBeginsInsideATable) {
  image_.put_block(101, block_with_inode(1, 8));
  EXPECT_EQ(inodes_in(0, {101, 1}), (Inodes{{10, 8}}));
}

TEST_F(InodeTableReaderTest, ReadsNoHolesAndNoMoreThan256KiBAtATime) {
  for (std::uint64_t block = 100; block < 400; ++block)
    if (block != 110) image_.put_block(block, block_with_inode(0, 1));
  const Filesystem filesystem = image_.open();
  std::vector<Extent> parts;
  for (const auto& part : InodeTableReader(filesystem).parts_of(0, {100, 300})) parts.push_back(part.bytes);
  ASSERT_FALSE(parts.empty());
  EXPECT_EQ(parts.front().offset, 100 * 1024);
  EXPECT_EQ(parts.back().end(), 400 * 1024);
  std::uint64_t total = 0;
  for (const Extent& part : parts) {
    EXPECT_LE(part.length, 256 * 1024);
    EXPECT_TRUE(part.end() <= 110 * 1024 || part.offset >= 111 * 1024) << part.offset;
    total += part.length;
  }
  EXPECT_EQ(total, 299 * 1024);
}

TEST_F(InodeTableReaderTest, ReadsOneInodeByItsNumber) {
  image_.put_block(2102, block_with_inode(2, 9));
  const auto bytes = read_inode(image_.open(), 2400 + 2 * 8 + 3);
  ASSERT_TRUE(bytes.has_value());
  EXPECT_EQ(Inode(*bytes).mode(), 9);
}

TEST_F(InodeTableReaderTest, HasNoInodesOutsideTheFileSystemOrTheDevice) {
  EXPECT_FALSE(read_inode(image_.open(), 0).has_value());
  EXPECT_FALSE(read_inode(image_.open(), 2 * 2400 + 1).has_value());
  image_.set_descriptor(1, Ext2Image::kInodeTable, 4000);
  EXPECT_TRUE(read_inode(image_.open(), 2401).has_value());
  EXPECT_FALSE(read_inode(image_.open(), 2401 + 8).has_value());
  image_.set_descriptor(1, Ext2Image::kInodeTable, 0);
  EXPECT_FALSE(read_inode(image_.open(), 2401).has_value());
}

}  // namespace
}  // namespace e2qcow::ext2
