// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/structures/mmp.h"

#include <gtest/gtest.h>

#include "tests/support/ext2_image.h"

namespace e2qcow::ext2 {
namespace {

// Source of the fields and numbers: <ext2fs/ext2_fs.h>, struct mmp_struct
constexpr std::uint64_t kMagic = 0x004d4d50;
constexpr std::uint64_t kClean = 0xff4d4d50;
constexpr std::uint64_t kChecked = 0xe24d4d50;

class Mmp : public testing::Test {
 protected:
  Mmp() {
    image_.superblock.raw.s_feature_incompat = EXT4_FEATURE_INCOMPAT_MMP;
    image_.superblock.raw.s_mmp_block = 50;
  }
  std::optional<MmpUser> user(std::uint64_t magic, std::uint64_t sequence) {
    Bytes block(1024);
    set_le(block, 0, magic, 4);
    set_le(block, 4, sequence, 4);
    std::ranges::copy(text_bytes(node_), block.begin() + 16);
    std::ranges::copy(text_bytes("/dev/sdb1"), block.begin() + 80);
    image_.put_block(50, block);
    return mmp_user(image_.open());
  }

  Ext2Image image_{1024, 2000};
  std::string node_ = "far.example";
};

TEST_F(Mmp, NamesWhoeverHasItMounted) {
  const auto found = user(kMagic, 17);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->node, "far.example");
  EXPECT_EQ(found->device, "/dev/sdb1");
  EXPECT_FALSE(found->is_checking);
}

TEST_F(Mmp, NamesWhoeverChecksIt) {
  const auto found = user(kMagic, kChecked);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->is_checking);
}

TEST_F(Mmp, NamesNobodyWhenNobodyHasIt) {
  EXPECT_FALSE(user(kMagic, kClean));
}

TEST_F(Mmp, IsNotInABlockWithoutTheMagic) {
  EXPECT_FALSE(user(kMagic + 1, 17));
}

TEST_F(Mmp, CountsOnlyWithTheFeatureAndABlockOnTheDevice) {
  image_.superblock.raw.s_mmp_block = 2000;
  EXPECT_FALSE(user(kMagic, 17));
  image_.superblock.raw.s_mmp_block = 0;
  EXPECT_FALSE(user(kMagic, 17));
  image_.superblock.raw.s_mmp_block = 50;
  EXPECT_TRUE(user(kMagic, 17));
  image_.superblock.raw.s_feature_incompat = 0;
  EXPECT_FALSE(user(kMagic, 17));
}

TEST_F(Mmp, TakesANameThatFillsItsField) {
  node_ = std::string(64, 'n');
  const auto found = user(kMagic, 17);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->node, node_);
}

}  // namespace
}  // namespace e2qcow::ext2
