// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/role_map.h"

#include <gtest/gtest.h>

namespace e2qcow::ext2 {
namespace {

using Role = RoleMap::Role;

TEST(RoleMap, FindsTheRoleOfABlock) {
  const RoleMap map({{{10, 5}, 12, BlockClass::directories}, {{20, 1}, 0, BlockClass::superblocks}});
  EXPECT_EQ(map.find(9), std::nullopt);
  EXPECT_EQ(map.find(10), (Role{BlockClass::directories, 12}));
  EXPECT_EQ(map.find(14), (Role{BlockClass::directories, 12}));
  EXPECT_EQ(map.find(15), std::nullopt);
  EXPECT_EQ(map.find(20), (Role{BlockClass::superblocks, 0}));
  EXPECT_EQ(map.find(21), std::nullopt);
  EXPECT_EQ(map.conflicts(), 0);
}

TEST(RoleMap, HasNoneOfNothing) {
  EXPECT_EQ(RoleMap().find(0), std::nullopt);
  EXPECT_EQ(RoleMap(std::vector<BlockRoles::Run>{}).find(0), std::nullopt);
}

// Each class wins against all after it.
TEST(RoleMap, PrefersWhatTheFileSystemNeedsMost) {
  const std::vector<BlockClass> order{BlockClass::superblocks,     BlockClass::group_descriptors,
                                      BlockClass::block_bitmaps,   BlockClass::inode_bitmaps,
                                      BlockClass::inode_tables,    BlockClass::mmp,
                                      BlockClass::journal,         BlockClass::extent_trees,
                                      BlockClass::indirect_blocks, BlockClass::directories,
                                      BlockClass::xattrs,          BlockClass::symlinks,
                                      BlockClass::quota,           BlockClass::orphan_file,
                                      BlockClass::reserved_inodes, BlockClass::data};
  for (std::size_t i = 0; i + 1 < order.size(); ++i)
    for (std::size_t k = i + 1; k < order.size(); ++k) {
      const RoleMap map({{{10, 1}, 12, order[k]}, {{10, 1}, 13, order[i]}});
      EXPECT_EQ(map.find(10), (Role{order[i], 13})) << i << ' ' << k;
      EXPECT_EQ(map.conflicts(), 1);
    }
}

TEST(RoleMap, CountsTheBlocksThatAreInConflict) {
  const RoleMap map({{{10, 10}, 12, BlockClass::data}, {{15, 2}, 13, BlockClass::xattrs}});
  EXPECT_EQ(map.conflicts(), 2);
  EXPECT_EQ(map.find(14), (Role{BlockClass::data, 12}));
  EXPECT_EQ(map.find(15), (Role{BlockClass::xattrs, 13}));
  EXPECT_EQ(map.find(17), (Role{BlockClass::data, 12}));
  ASSERT_EQ(map.runs().size(), 3);
  EXPECT_EQ(map.runs()[2].blocks, (BlockRun{17, 3}));
}

TEST(RoleMap, PrefersAKnownInodeAndThenTheFirst) {
  const RoleMap map({{{10, 1}, 0, BlockClass::directories},
                     {{10, 1}, 14, BlockClass::directories},
                     {{10, 1}, 13, BlockClass::directories}});
  EXPECT_EQ(map.find(10), (Role{BlockClass::directories, 13}));
  EXPECT_EQ(map.conflicts(), 0);
}

TEST(RoleMap, JoinsRunsThatTouch) {
  const RoleMap map({{{10, 5}, 12, BlockClass::directories},
                     {{15, 5}, 12, BlockClass::directories},
                     {{20, 5}, 13, BlockClass::directories},
                     {{12, 6}, 12, BlockClass::directories}});
  ASSERT_EQ(map.runs().size(), 2);
  EXPECT_EQ(map.runs()[0].blocks, (BlockRun{10, 10}));
  EXPECT_EQ(map.runs()[1].blocks, (BlockRun{20, 5}));
}

}  // namespace
}  // namespace e2qcow::ext2
