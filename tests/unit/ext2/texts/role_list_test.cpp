// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/texts/role_list.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "ext2/interpretation/superblock_search.h"
#include "tests/support/real_filesystem.h"

namespace e2qcow::ext2 {
namespace {

using RoleListTest = RealFilesystem;

TEST_F(RoleListTest, SayWhatABlockIsForAndWhoseItIs) {
  const auto file = open(make("-t ext4 -b 1024 -N 64", "8M"));
  const Filesystem filesystem(*file, find_superblock(*file, {}));
  const RoleList roles(filesystem, 2);
  const std::uint64_t table = filesystem.descriptors.inode_table(0);
  ASSERT_TRUE(roles.of(1) && roles.of(table));
  EXPECT_EQ(roles.of(1)->block_class, BlockClass::superblocks);
  EXPECT_EQ(roles.of(table)->block_class, BlockClass::inode_tables);
  EXPECT_EQ(roles.of(filesystem.geometry.blocks() - 1), std::nullopt);
  const auto root = std::ranges::find(roles.all(), 2U, &RoleList::Role::owner);
  ASSERT_NE(root, roles.all().end());
  EXPECT_EQ(root->block_class, BlockClass::directories);
  EXPECT_TRUE(std::ranges::is_sorted(roles.all(), {}, [](const auto& role) { return role.blocks.first; }));
}

TEST_F(RoleListTest, EachBlockOfADirectoryIsThereOnce) {
  const auto file = open(make("-t ext4 -b 1024", "8M"));
  const Filesystem filesystem(*file, find_superblock(*file, {}));
  const RoleList roles(filesystem, 1);
  for (const auto& role : roles.all()) {
    if (role.block_class != BlockClass::directories) continue;
    EXPECT_NE(role.owner, 0) << role.blocks.first;
  }
}

TEST_F(RoleListTest, KnowTheInodesInATable) {
  const auto file = open(make("-t ext4 -b 1024 -g 1024 -N 256 -O ^flex_bg", "8M"));
  const Filesystem filesystem(*file, find_superblock(*file, {}));
  const RoleList roles(filesystem, 1);
  const std::uint64_t per_block = 1024 / filesystem.geometry.inode_size();
  for (const std::uint64_t group : {0, 3}) {
    const std::uint64_t table = filesystem.descriptors.inode_table(group);
    const std::uint64_t first = group * filesystem.geometry.inodes_per_group() + 1;
    EXPECT_EQ(roles.first_inode_in(table), first);
    EXPECT_EQ(roles.first_inode_in(table + 1), first + per_block);
    EXPECT_EQ(roles.first_inode_in(table + filesystem.geometry.inode_table_blocks()), 0);
  }
  EXPECT_EQ(roles.first_inode_in(0), 0);
}

}  // namespace
}  // namespace e2qcow::ext2
