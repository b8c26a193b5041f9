// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/structures/description.h"

#include <gtest/gtest.h>

#include "tests/support/ext2_image.h"

namespace e2qcow::ext2 {
namespace {

TEST(Describe, HasTheFieldsOfTheSuperblock) {
  Superblock superblock = plain_superblock(2048, (1ULL << 32) + 100);
  ext2_super_block& raw = superblock.raw;
  std::memcpy(raw.s_volume_name, "sixteen-letters!", 16);
  std::memcpy(raw.s_last_mounted, "/mnt", 5);
  for (std::uint8_t i = 0; i < 16; ++i) raw.s_uuid[i] = static_cast<std::uint8_t>(i * 17);
  raw.s_feature_compat = EXT3_FEATURE_COMPAT_HAS_JOURNAL;
  raw.s_feature_incompat = EXT4_FEATURE_INCOMPAT_64BIT | EXT3_FEATURE_INCOMPAT_RECOVER;
  raw.s_feature_ro_compat = EXT4_FEATURE_RO_COMPAT_METADATA_CSUM;
  raw.s_state = EXT2_VALID_FS | EXT2_ERROR_FS;
  raw.s_free_blocks_count = 50;
  raw.s_free_blocks_hi = 1;
  raw.s_inodes_count = 1000;
  raw.s_free_inodes_count = 900;
  raw.s_error_count = 3;
  const Description description = describe(superblock);
  EXPECT_EQ(description.label, "sixteen-letters!");
  EXPECT_EQ(description.last_mounted, "/mnt");
  EXPECT_EQ(description.uuid, "00112233-4455-6677-8899-aabbccddeeff");
  EXPECT_EQ(description.features, "has_journal needs_recovery 64bit metadata_csum");
  EXPECT_EQ(description.state, "clean with errors");
  EXPECT_EQ(description.block_size, 2048);
  EXPECT_EQ(description.blocks, (1ULL << 32) + 100);
  EXPECT_EQ(description.free_blocks, (1ULL << 32) + 50);
  EXPECT_EQ(description.size(), ((1ULL << 32) + 100) * 2048);
  EXPECT_EQ(description.inodes, 1000);
  EXPECT_EQ(description.free_inodes, 900);
  EXPECT_EQ(description.error_count, 3);
  EXPECT_TRUE(description.needs_recovery);
}

TEST(Describe, ReportsWhetherTheFileSystemIsClean) {
  Superblock superblock = plain_superblock(1024, 100);
  superblock.raw.s_state = 0;
  EXPECT_EQ(describe(superblock).state, "not clean");
  superblock.raw.s_state = EXT2_VALID_FS;
  EXPECT_EQ(describe(superblock).state, "clean");
  EXPECT_FALSE(describe(superblock).needs_recovery);
}

}  // namespace
}  // namespace e2qcow::ext2
