// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/selection/block_roles.h"

#include <gtest/gtest.h>

#include "tests/support/bytes.h"

namespace e2qcow::ext2 {
namespace {

Bytes inode(std::uint64_t mode, std::uint64_t flags) {
  Bytes bytes(128);
  set_le(bytes, 0, mode, 2);
  set_le(bytes, 32, flags, 4);
  return bytes;
}

TEST(BlockRoles, JoinsRunsThatContinue) {
  BlockRoles roles;
  roles.visit(BlockClass::directories, {10, 2}, 12);
  roles.visit(BlockClass::directories, {12, 3}, 12);
  roles.visit(BlockClass::directories, {15, 1}, 13);
  roles.visit(BlockClass::xattrs, {16, 1}, 13);
  roles.visit(BlockClass::xattrs, {18, 1}, 13);
  roles.visit(BlockClass::xattrs, {19, 0}, 13);
  ASSERT_EQ(roles.runs().size(), 4);
  EXPECT_EQ(roles.runs()[0].blocks, (BlockRun{10, 5}));
  EXPECT_EQ(roles.runs()[0].inode, 12);
  EXPECT_EQ(roles.runs()[1].blocks, (BlockRun{15, 1}));
  EXPECT_EQ(roles.runs()[2].block_class, BlockClass::xattrs);
  EXPECT_EQ(roles.runs()[3].blocks, (BlockRun{18, 1}));
}

TEST(BlockRoles, RemembersDirectoriesWithFlagsThatConcernNames) {
  BlockRoles roles;
  const Bytes plain = inode(S_IFDIR, EXT4_EXTENTS_FL);
  const Bytes index = inode(S_IFDIR, EXT4_EXTENTS_FL | EXT2_INDEX_FL);
  const Bytes folded = inode(S_IFDIR, EXT4_CASEFOLD_FL);
  roles.visit_inode(11, Inode(plain));
  roles.visit_inode(12, Inode(index));
  roles.visit_inode(13, Inode(folded));
  ASSERT_EQ(roles.directories().size(), 2);
  EXPECT_EQ(roles.directories()[0].inode, 12);
  EXPECT_EQ(roles.directories()[0].flags, EXT4_EXTENTS_FL | EXT2_INDEX_FL);
  EXPECT_TRUE(roles.directories()[0].bytes.empty());
  EXPECT_EQ(roles.directories()[1].inode, 13);
}

TEST(BlockRoles, RemembersTheBytesOfInodesWithEntries) {
  BlockRoles roles;
  const Bytes with_entries = inode(S_IFDIR, EXT4_INLINE_DATA_FL);
  const Bytes file = inode(S_IFREG, EXT4_INLINE_DATA_FL);
  roles.visit_inode(12, Inode(with_entries));
  roles.visit_inode(13, Inode(file));
  ASSERT_EQ(roles.directories().size(), 1);
  EXPECT_EQ(roles.directories()[0].bytes, with_entries);
}

TEST(BlockRoles, AddsThoseOfAnotherWalk) {
  BlockRoles first;
  BlockRoles second;
  const Bytes index = inode(S_IFDIR, EXT2_INDEX_FL);
  const std::vector<std::uint32_t> read{5, 6};
  second.visit(BlockClass::xattrs, {16, 1}, 13);
  second.visit_table(40, 1);
  second.visit_inode(12, Inode(index));
  second.set_inodes_read(read);
  first.visit(BlockClass::xattrs, {15, 1}, 13);
  first.add(second);
  EXPECT_EQ(first.runs().size(), 2);
  ASSERT_EQ(first.tables().size(), 1);
  EXPECT_EQ(first.tables()[0].block, 40);
  EXPECT_EQ(first.directories().size(), 1);
  EXPECT_EQ(first.inodes_read(), read);
  second.set_inodes_read(std::vector<std::uint32_t>{7});
  first.add(second);
  EXPECT_EQ(first.inodes_read(), read);
}

}  // namespace
}  // namespace e2qcow::ext2
