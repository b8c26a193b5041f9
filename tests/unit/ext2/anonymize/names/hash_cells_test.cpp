// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/names/hash_cells.h"

#include <gtest/gtest.h>

#include "tests/support/ext2_image.h"

namespace e2qcow::ext2 {
namespace {

TEST(HashCells, IsOneWithoutAnIndex) {
  const HashCells cells;
  EXPECT_FALSE(cells.are_needed());
  EXPECT_EQ(cells.count(), 1);
  EXPECT_EQ(cells.cell_of(0), 0);
  EXPECT_EQ(cells.cell_of(0xffff'fffe), 0);
}

TEST(HashCells, BeginsANewOneAtEachBoundary) {
  const HashCells cells({0x8000'0000, 0x1000, 0x8000'0000});
  EXPECT_TRUE(cells.are_needed());
  EXPECT_EQ(cells.count(), 3);
  EXPECT_EQ(cells.cell_of(0xffe), 0);
  EXPECT_EQ(cells.cell_of(0x1000), 1);
  EXPECT_EQ(cells.cell_of(0x7fff'fffe), 1);
  EXPECT_EQ(cells.cell_of(0x8000'0000), 2);
}

// It says that a name of the leaf before has the same hash.
TEST(HashCells, IgnoresTheLastBitOfABoundary) {
  const HashCells cells({0x1001});
  EXPECT_EQ(cells.cell_of(0x1000), 1);
  EXPECT_TRUE(cells.is_boundary(0x1000));
  EXPECT_FALSE(cells.is_boundary(0x1002));
}

TEST(HashCells, NeedsMoreDrawsForANarrowOne) {
  const HashCells cells({0x8000'0000, 0xc000'0000});
  EXPECT_NEAR(cells.draws_for(0), 2, 0.001);
  EXPECT_NEAR(cells.draws_for(1), 4, 0.001);
  EXPECT_NEAR(cells.draws_for(2), 4, 0.001);
}

TEST(NameHash, IsThatOfLibext2fsWithoutItsLastBit) {
  NameHash hash{.version = EXT2_HASH_HALF_MD4, .seed = {1, 2, 3, 4}};
  ext2_dirhash_t expected = 0;
  ASSERT_EQ(
      ext2fs_dirhash2(EXT2_HASH_HALF_MD4, "passwd", 6, nullptr, 0, hash.seed.data(), &expected, nullptr), 0);
  EXPECT_EQ(hash.of("passwd"), expected & ~1U);
  hash.seed[3] = 5;
  EXPECT_NE(hash.of("passwd"), expected & ~1U);
}

TEST(NameHash, IsAbsentIfTheVersionIsNotKnown) {
  EXPECT_EQ(NameHash{.version = 99}.of("passwd"), std::nullopt);
}

TEST(NameHash, DistinguishesSignsOfBytesByVersion) {
  const std::string name = "caf\xc3\xa9";
  const NameHash with_sign{.version = EXT2_HASH_HALF_MD4, .seed = {1, 2, 3, 4}};
  const NameHash without{.version = EXT2_HASH_HALF_MD4_UNSIGNED, .seed = {1, 2, 3, 4}};
  EXPECT_NE(with_sign.of(name), without.of(name));
  EXPECT_EQ(with_sign.of("cafe"), without.of("cafe"));
}

TEST(UsedHashVersion, IsUnsignedIfTheSuperblockHasTheFlag) {
  Superblock superblock = plain_superblock(1024, 2000);
  EXPECT_EQ(used_hash_version(EXT2_HASH_LEGACY, superblock), EXT2_HASH_LEGACY);
  EXPECT_EQ(used_hash_version(EXT2_HASH_TEA, superblock), EXT2_HASH_TEA);
  superblock.raw.s_flags = EXT2_FLAGS_UNSIGNED_HASH;
  EXPECT_EQ(used_hash_version(EXT2_HASH_LEGACY, superblock), EXT2_HASH_LEGACY_UNSIGNED);
  EXPECT_EQ(used_hash_version(EXT2_HASH_TEA, superblock), EXT2_HASH_TEA_UNSIGNED);
  EXPECT_EQ(used_hash_version(EXT2_HASH_SIPHASH, superblock), EXT2_HASH_SIPHASH);
}

}  // namespace
}  // namespace e2qcow::ext2
