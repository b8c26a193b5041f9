// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/selection/named_inodes.h"

#include <gtest/gtest.h>

#include "tests/support/ext2_image.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::uint64_t kBlock = 1024;
using Groups = std::vector<std::uint64_t>;

// Four groups of 32 inodes, of which the first five are read.
class NamedInodesTest : public testing::Test {
 protected:
  Groups found(const std::function<void(NamedInodes&)>& add) {
    const Filesystem filesystem(image_.disk, image_.superblock);
    const std::vector<std::uint32_t> read(filesystem.geometry.groups(), 5);
    NamedInodes named(filesystem, read);
    EXPECT_TRUE(named.is_needed());
    add(named);
    Groups groups = named.take_groups();
    EXPECT_TRUE(named.take_groups().empty());
    return groups;
  }

  Ext2Image image_{kBlock, 4 * 8192};
};

// Inode, length of the entry, length of the name, type.
void put_entry(Bytes& block, std::size_t offset, std::uint32_t inode, std::uint16_t length) {
  set_le(block, offset, inode, 4);
  set_le(block, offset + 4, length, 2);
  set_le(block, offset + 6, 1, 1);
}

TEST_F(NamedInodesTest, AreThoseThatAreNotReadAnyway) {
  EXPECT_EQ(found([](NamedInodes& named) {
              for (const std::uint64_t inode : {1, 5, 32 + 5, 96 + 1, 0, 129, 1 << 30}) named.add(inode);
            }),
            Groups{});
  EXPECT_EQ(found([](NamedInodes& named) {
              for (const std::uint64_t inode : {32 + 6, 32 + 32, 128}) named.add(inode);
            }),
            (Groups{1, 3}));
}

// After an entry that is not valid, too.
TEST_F(NamedInodesTest, AreInDirectories) {
  Bytes block(kBlock);
  put_entry(block, 0, 2, 12);
  put_entry(block, 12, 40, 13);
  put_entry(block, 24, 80, kBlock - 24);
  image_.disk.put(100 * kBlock, block);
  EXPECT_EQ(found([](NamedInodes& named) {
              named.add_from_blocks(BlockClass::directories, {100, 1});
            }),
            (Groups{1, 2}));
}

TEST_F(NamedInodesTest, AreInTheOrphanFileAndInXattrs) {
  Bytes orphans(kBlock);
  set_le(orphans, 8, 60, 4);
  image_.disk.put(100 * kBlock, orphans);
  Bytes xattrs(kBlock);
  set_le(xattrs, 0, 0xea020000, 4);
  set_le(xattrs, 32, 4, 1);
  set_le(xattrs, 36, 90, 4);
  image_.disk.put(101 * kBlock, xattrs);
  EXPECT_EQ(found([](NamedInodes& named) {
              named.add_from_blocks(BlockClass::orphan_file, {100, 1});
              named.add_from_blocks(BlockClass::xattrs, {101, 1});
            }),
            (Groups{1, 2}));
}

// An inline directory goes on in the attribute "data" of its inode.
TEST_F(NamedInodesTest, AreInInlineDirectories) {
  Bytes inode(256);
  set_le(inode, 0, 040755, 2);
  set_le(inode, 26, 2, 2);
  set_le(inode, 32, EXT4_INLINE_DATA_FL, 4);
  set_le(inode, 40, 2, 4);  // its parent
  Bytes entries(56);
  put_entry(entries, 0, 40, 56);
  std::ranges::copy(entries, inode.begin() + 44);
  set_le(inode, 128, 32, 2);
  set_le(inode, 160, 0xea020000, 4);
  set_le(inode, 164, 4, 1);
  set_le(inode, 165, 7, 1);
  set_le(inode, 166, 60, 2);
  set_le(inode, 172, 32, 4);
  std::ranges::copy(text_bytes("data"), inode.begin() + 180);
  Bytes rest(32);
  put_entry(rest, 0, 80, 32);
  std::ranges::copy(rest, inode.begin() + 164 + 60);
  EXPECT_EQ(found([&](NamedInodes& named) { named.add_from_inode(Inode(inode)); }), (Groups{1, 2}));
}

TEST_F(NamedInodesTest, AreInTheSuperblock) {
  image_.superblock.raw.s_journal_inum = 40;
  image_.superblock.raw.s_last_orphan = 80;
  EXPECT_EQ(found([](NamedInodes& named) { named.add_from_superblock(); }), (Groups{1, 2}));
}

}  // namespace
}  // namespace e2qcow::ext2
