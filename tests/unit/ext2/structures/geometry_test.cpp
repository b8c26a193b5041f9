// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/structures/geometry.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/ext2_image.h"

namespace e2qcow::ext2 {
namespace {

using Sizes = std::initializer_list<std::uint16_t>;

constexpr std::uint64_t kEnough = ~0ULL;  // a device size

Geometry geometry_of(const Superblock& superblock, std::uint64_t device_size = kEnough) {
  return {superblock, device_size};
}

std::set<std::uint64_t> groups_with_superblock(const Geometry& geometry, std::uint64_t end) {
  std::set<std::uint64_t> groups;
  for (std::uint64_t group = 0; group < end; ++group)
    if (geometry.has_superblock(group)) groups.insert(group);
  return groups;
}

TEST(Geometry, IsThatOfTheSuperblock) {
  Superblock superblock = plain_superblock(4096, 100'000);
  superblock.raw.s_inodes_per_group = 1000;
  superblock.raw.s_inode_size = 256;
  const Geometry geometry = geometry_of(superblock);
  EXPECT_EQ(geometry.block_size(), 4096);
  EXPECT_EQ(geometry.blocks(), 100'000);
  EXPECT_EQ(geometry.cluster_blocks(), 1);
  EXPECT_EQ(geometry.groups(), 4);
  EXPECT_EQ(geometry.inodes_per_group(), 1000);
  EXPECT_EQ(geometry.inode_size(), 256);
  EXPECT_EQ(geometry.descriptor_size(), 32);
  EXPECT_EQ(geometry.inode_table_blocks(), 63);  // 256000 bytes
  EXPECT_EQ(geometry.bytes({3, 2}), (Extent{12288, 8192}));
}

TEST(Geometry, BeginsGroupsOf1KiBBlocksWithBlock1) {
  const Geometry geometry = geometry_of(plain_superblock(1024, 20'000));
  EXPECT_EQ(geometry.groups(), 3);
  EXPECT_EQ(geometry.group(0), (BlockRun{1, 8192}));
  EXPECT_EQ(geometry.group(1), (BlockRun{8193, 8192}));
  EXPECT_EQ(geometry.group(2), (BlockRun{16385, 3615}));
  EXPECT_EQ(geometry.superblock_block(0), 1);
  EXPECT_EQ(geometry.superblock_block(1), 8193);
}

TEST(Geometry, BeginsGroupsOfLargerBlocksWithBlock0) {
  const Geometry geometry = geometry_of(plain_superblock(2048, 20'000));
  EXPECT_EQ(geometry.group(0), (BlockRun{0, 16384}));
  EXPECT_EQ(geometry.group(1), (BlockRun{16384, 3616}));
  EXPECT_EQ(geometry.superblock_block(0), 0);
  EXPECT_EQ(geometry.superblock_block(1), 16384);
}

TEST(Geometry, KnowsThePlacesOfInodes) {
  const Geometry geometry = geometry_of(plain_superblock(4096, 40'000));  // two groups of 32 inodes
  const auto place = [&](std::uint64_t number) {
    const auto found = geometry.place_of_inode(number);
    return found ? std::optional(std::pair(found->group, found->index)) : std::nullopt;
  };
  EXPECT_EQ(place(0), std::nullopt);
  EXPECT_EQ(place(1), std::pair(0UL, 0UL));
  EXPECT_EQ(place(32), std::pair(0UL, 31UL));
  EXPECT_EQ(place(33), std::pair(1UL, 0UL));
  EXPECT_EQ(place(64), std::pair(1UL, 31UL));
  EXPECT_EQ(place(65), std::nullopt);
}

TEST(Geometry, HasNoGroupForABlockThatIsInNone) {
  EXPECT_EQ(geometry_of(plain_superblock(1024, 8193)).groups(), 1);
  EXPECT_EQ(geometry_of(plain_superblock(1024, 8194)).groups(), 2);
  EXPECT_EQ(geometry_of(plain_superblock(1024, 1)).groups(), 0);
}

// With flex_bg the tables of the groups past the end lie before it.
TEST(Geometry, HasTheBlocksOfTheDeviceButTheGroupsOfTheFileSystem) {
  const Geometry geometry = geometry_of(plain_superblock(4096, 100'000), 50'000 * 4096ULL + 4095);
  EXPECT_EQ(geometry.blocks(), 50'000);
  EXPECT_EQ(geometry.claimed_blocks(), 100'000);
  EXPECT_EQ(geometry.groups(), 4);
}

// 2^60 blocks of 64 KiB are more bytes than 64 bits can count.
TEST(Geometry, ClaimsNoMoreBytesThanCanBeCounted) {
  for (const std::uint64_t claimed : {1ULL << 60, (1ULL << 48) + 16, ~0ULL}) {
    Superblock superblock = plain_superblock(65536, claimed);
    superblock.raw.s_feature_incompat = EXT4_FEATURE_INCOMPAT_64BIT;
    const Geometry geometry = geometry_of(superblock, 1 << 20);
    EXPECT_EQ(geometry.blocks(), 16);
    EXPECT_GT(geometry.missing_bytes(), 1ULL << 63) << claimed;
    EXPECT_LE(geometry.missing_bytes(), ~0ULL - (1 << 20)) << claimed;
  }
}

// Or one wrong bit makes descriptors of a whole disk.
TEST(Geometry, HasNoMoreMissingGroupsThanThereAreInodesFor) {
  Superblock superblock = plain_superblock(1024, 1 + 10 * 8192);
  superblock.raw.s_inodes_count = 20 * 32;
  const auto groups_with = [&](std::uint32_t blocks, std::uint64_t device_blocks) {
    superblock.raw.s_blocks_count = blocks;
    return geometry_of(superblock, device_blocks * 1024).groups();
  };
  EXPECT_EQ(groups_with(1 + 10 * 8192, 100'000), 10);
  EXPECT_EQ(groups_with(1 + 20 * 8192, 100'000), 20);
  EXPECT_EQ(groups_with(1 + 21 * 8192, 100'000), 20);
  EXPECT_EQ(groups_with(0xffffffff, 100'000), 20);
  EXPECT_EQ(groups_with(0xffffffff, 1 + 30 * 8192), 30);  // it has them, whatever the inodes say
}

// A device of 64 GiB, and a size of groups that is damaged.
// On a sparse file of 4 TiB these would take 128 GiB of memory.
TEST(Geometry, HasNoMoreGroupsThanFitIntoMemoryWithTheirDescriptors) {
  Superblock superblock = plain_superblock(65536, 1ULL << 32);
  superblock.raw.s_feature_incompat = EXT4_FEATURE_INCOMPAT_64BIT;
  superblock.raw.s_blocks_per_group = 8;
  superblock.raw.s_inodes_per_group = 1;
  superblock.raw.s_inodes_count = 0xffff'ffff;
  superblock.raw.s_desc_size = 32768;
  const Geometry geometry(superblock, 4ULL << 40);
  EXPECT_EQ(geometry.descriptor_size(), 32768);
  EXPECT_LE(geometry.groups() * geometry.descriptor_size(), 256 << 20);
}

TEST(Geometry, HasFewSmallGroupsUnlessThereAreInodesForThem) {
  Superblock superblock = plain_superblock(4096, 1 << 24);
  superblock.raw.s_blocks_per_group = superblock.raw.s_clusters_per_group = 8;
  EXPECT_EQ(geometry_of(superblock).groups(), 1 << 16);
  superblock.raw.s_inodes_count = superblock.raw.s_inodes_per_group * (1 << 21);
  EXPECT_EQ(geometry_of(superblock).groups(), 1 << 21);
}

TEST(Geometry, OfAJournalDeviceHasNoGroups) {
  Superblock superblock = plain_superblock(1024, 1000);
  superblock.raw.s_feature_incompat = EXT3_FEATURE_INCOMPAT_JOURNAL_DEV;
  superblock.raw.s_inodes_per_group = superblock.raw.s_blocks_per_group = 0;
  const Geometry geometry = geometry_of(superblock);
  EXPECT_EQ(geometry.groups(), 0);
  EXPECT_EQ(geometry.blocks(), 1000);
  EXPECT_EQ(geometry.descriptor_blocks(), std::vector<std::uint64_t>{});
  EXPECT_FALSE(geometry.place_of_inode(1));
}

TEST(Geometry, ClipsRunsToTheDevice) {
  const Geometry geometry = geometry_of(plain_superblock(1024, 1000));
  EXPECT_EQ(geometry.clip({0, 1000}), (BlockRun{0, 1000}));
  EXPECT_EQ(geometry.clip({990, 20}), (BlockRun{990, 10}));
  EXPECT_EQ(geometry.clip({999, kEnough}), (BlockRun{999, 1}));
  EXPECT_EQ(geometry.clip({1000, 1}), (BlockRun{1000, 0}));
  EXPECT_EQ(geometry.clip({kEnough, kEnough}), (BlockRun{1000, 0}));
}

TEST(HasSuperblock, InEveryGroupOfAnOldFileSystem) {
  EXPECT_EQ(groups_with_superblock(geometry_of(plain_superblock(1024, 1 << 30)), 5),
            (std::set<std::uint64_t>{0, 1, 2, 3, 4}));
}

TEST(HasSuperblock, InGroups0And1AndPowersOf3And5And7WithSparseSuper) {
  Superblock superblock = plain_superblock(1024, 1 << 30);
  superblock.raw.s_feature_ro_compat = EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER;
  EXPECT_EQ(groups_with_superblock(geometry_of(superblock), 2500),
            (std::set<std::uint64_t>{0, 1, 3, 5, 7, 9, 25, 27, 49, 81, 125, 243, 343, 625, 729, 2187, 2401}));
}

TEST(HasSuperblock, InTheNamedGroupsWithSparseSuper2) {
  Superblock superblock = plain_superblock(1024, 1 << 30);
  superblock.raw.s_feature_compat = EXT4_FEATURE_COMPAT_SPARSE_SUPER2;
  superblock.raw.s_feature_ro_compat = EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER;
  superblock.raw.s_backup_bgs[0] = 1;
  superblock.raw.s_backup_bgs[1] = 1000;
  EXPECT_EQ(groups_with_superblock(geometry_of(superblock), 1200), (std::set<std::uint64_t>{0, 1, 1000}));
  superblock.raw.s_backup_bgs[0] = superblock.raw.s_backup_bgs[1] = 0;
  EXPECT_EQ(groups_with_superblock(geometry_of(superblock), 1200), (std::set<std::uint64_t>{0}));
}

TEST(DescriptorBlocks, FollowTheSuperblockThatIsUsed) {
  // 200 groups; 32 descriptors of 32 bytes are in a block.
  Superblock superblock = plain_superblock(1024, 200 * 8192);
  EXPECT_EQ(geometry_of(superblock).descriptor_blocks(), (std::vector<std::uint64_t>{2, 3, 4, 5, 6, 7, 8}));
  superblock.offset = 8193 * 1024;
  EXPECT_EQ(geometry_of(superblock).descriptor_blocks(),
            (std::vector<std::uint64_t>{8194, 8195, 8196, 8197, 8198, 8199, 8200}));
  EXPECT_EQ(geometry_of(plain_superblock(4096, 200 * 32768)).descriptor_blocks(),
            (std::vector<std::uint64_t>{1, 2}));
}

TEST(DescriptorBlocks, AreTwiceAsManyWith64BitDescriptors) {
  Superblock superblock = plain_superblock(1024, 64 * 8192);
  EXPECT_EQ(geometry_of(superblock).descriptor_blocks().size(), 2);
  superblock.raw.s_feature_incompat = EXT4_FEATURE_INCOMPAT_64BIT;
  superblock.raw.s_desc_size = 64;
  EXPECT_EQ(geometry_of(superblock).descriptor_blocks().size(), 4);
}

TEST(DescriptorsIn, AreAllOfThemInGroupsWithASuperblock) {
  Superblock superblock = plain_superblock(1024, 200 * 8192);
  superblock.raw.s_feature_ro_compat = EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER;
  const Geometry geometry = geometry_of(superblock);
  EXPECT_EQ(geometry.descriptors_in(0), (BlockRun{2, 7}));
  EXPECT_EQ(geometry.descriptors_in(1), (BlockRun{8194, 7}));
  EXPECT_EQ(geometry.descriptors_in(2).count, 0);
  EXPECT_EQ(geometry.descriptors_in(3), (BlockRun{3 * 8192 + 2, 7}));
}

// Groups of 1 KiB blocks with meta_bg: 32 of them share a descriptor block, which is in the first of them and
// has copies in the second and the last.
Superblock meta_bg_superblock(std::uint32_t first_meta_bg) {
  Superblock superblock = plain_superblock(1024, 100 * 8192);
  superblock.raw.s_feature_ro_compat = EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER;
  superblock.raw.s_feature_incompat = EXT2_FEATURE_INCOMPAT_META_BG;
  superblock.raw.s_first_meta_bg = first_meta_bg;
  return superblock;
}

TEST(DescriptorsIn, AreOneInThreeGroupsOf32WithMetaBg) {
  const Geometry geometry = geometry_of(meta_bg_superblock(0));
  EXPECT_EQ(geometry.descriptors_in(0), (BlockRun{2, 1}));
  EXPECT_EQ(geometry.descriptors_in(1), (BlockRun{8192 + 2, 1}));
  EXPECT_EQ(geometry.descriptors_in(3).count, 0);  // only a superblock
  EXPECT_EQ(geometry.descriptors_in(31), (BlockRun{31 * 8192 + 1, 1}));
  EXPECT_EQ(geometry.descriptors_in(32), (BlockRun{32 * 8192 + 1, 1}));
  EXPECT_EQ(geometry.descriptors_in(33), (BlockRun{33 * 8192 + 1, 1}));
  EXPECT_EQ(geometry.descriptors_in(34).count, 0);
  EXPECT_EQ(geometry.descriptors_in(49).count, 0);
  EXPECT_EQ(geometry.descriptors_in(63), (BlockRun{63 * 8192 + 1, 1}));
}

TEST(DescriptorsIn, AreOfBothKindsIfMetaBgBeginsLater) {
  const Geometry geometry = geometry_of(meta_bg_superblock(2));
  EXPECT_EQ(geometry.descriptors_in(0), (BlockRun{2, 2}));
  EXPECT_EQ(geometry.descriptors_in(1), (BlockRun{8194, 2}));
  EXPECT_EQ(geometry.descriptors_in(31).count, 0);
  EXPECT_EQ(geometry.descriptors_in(49), (BlockRun{49 * 8192 + 2, 2}));
  EXPECT_EQ(geometry.descriptors_in(64), (BlockRun{64 * 8192 + 1, 1}));
  EXPECT_EQ(geometry.descriptors_in(81).count, 0);
}

TEST(DescriptorBlocks, AreInEveryFirstOf32GroupsWithMetaBg) {
  EXPECT_EQ(geometry_of(meta_bg_superblock(0)).descriptor_blocks(),
            (std::vector<std::uint64_t>{2, 32 * 8192 + 1, 64 * 8192 + 1, 96 * 8192 + 1}));
  EXPECT_EQ(geometry_of(meta_bg_superblock(1)).descriptor_blocks(),
            (std::vector<std::uint64_t>{2, 32 * 8192 + 1, 64 * 8192 + 1, 96 * 8192 + 1}));
}

TEST(DescriptorBlocks, AreInEverySecondOf32GroupsWithMetaBgAndABackup) {
  Superblock superblock = meta_bg_superblock(0);
  superblock.offset = 8193 * 1024;
  EXPECT_EQ(geometry_of(superblock).descriptor_blocks(),
            (std::vector<std::uint64_t>{8194, 33 * 8192 + 1, 65 * 8192 + 1, 97 * 8192 + 1}));
}

TEST(Geometry, BeginsABigallocFileSystemOf1KiBBlocksWithBlock0) {
  Superblock superblock = plain_superblock(1024, 1 << 20);
  superblock.raw.s_feature_ro_compat = EXT4_FEATURE_RO_COMPAT_BIGALLOC;
  superblock.raw.s_log_cluster_size = 4;
  superblock.raw.s_clusters_per_group = 8192;
  superblock.raw.s_blocks_per_group = 8192 * 16;
  const Geometry geometry = geometry_of(superblock);
  EXPECT_EQ(geometry.cluster_blocks(), 16);
  EXPECT_EQ(geometry.group(0), (BlockRun{0, 131072}));
  EXPECT_EQ(geometry.superblock_block(0), 1);
  EXPECT_EQ(geometry.descriptors_in(0), (BlockRun{2, 1}));
  EXPECT_EQ(geometry.descriptor_blocks(), (std::vector<std::uint64_t>{2}));
  EXPECT_EQ(geometry.superblock_block(1), 131072);
  EXPECT_EQ(geometry.descriptors_in(1), (BlockRun{131073, 1}));
}

TEST(Geometry, HasClustersOfOneBlockIfTheirSizeIsInvalid) {
  Superblock superblock = plain_superblock(4096, 1000);
  superblock.raw.s_log_cluster_size = 6;
  EXPECT_EQ(geometry_of(superblock).cluster_blocks(), 1) << "without the feature";
  superblock.raw.s_feature_ro_compat = EXT4_FEATURE_RO_COMPAT_BIGALLOC;
  EXPECT_EQ(geometry_of(superblock).cluster_blocks(), 16);
  for (const std::uint32_t log : {1U, 31U, 32U, 0xffffffffU}) {
    superblock.raw.s_log_cluster_size = log;
    EXPECT_EQ(geometry_of(superblock).cluster_blocks(), 1) << log;
  }
}

TEST(Geometry, HasInodesOf128BytesIfTheirSizeIsInvalid) {
  Superblock superblock = plain_superblock(1024, 1000);
  for (const std::uint16_t size : Sizes{0, 64, 100, 129, 384, 2048, 65535}) {
    superblock.raw.s_inode_size = size;
    EXPECT_EQ(geometry_of(superblock).inode_size(), 128) << size;
  }
  for (const std::uint16_t size : Sizes{128, 256, 512, 1024}) {
    superblock.raw.s_inode_size = size;
    EXPECT_EQ(geometry_of(superblock).inode_size(), size);
  }
  superblock.raw.s_rev_level = EXT2_GOOD_OLD_REV;
  EXPECT_EQ(geometry_of(superblock).inode_size(), 128);
}

TEST(Geometry, HasDescriptorsOf64BytesIfTheirSizeIsInvalid) {
  Superblock superblock = plain_superblock(1024, 1000);
  superblock.raw.s_desc_size = 64;
  EXPECT_EQ(geometry_of(superblock).descriptor_size(), 32) << "without the feature";
  superblock.raw.s_feature_incompat = EXT4_FEATURE_INCOMPAT_64BIT;
  for (const std::uint16_t size : Sizes{0, 32, 65, 96, 2048, 65535}) {
    superblock.raw.s_desc_size = size;
    EXPECT_EQ(geometry_of(superblock).descriptor_size(), 64) << size;
  }
  for (const std::uint16_t size : Sizes{64, 128, 1024}) {
    superblock.raw.s_desc_size = size;
    EXPECT_EQ(geometry_of(superblock).descriptor_size(), size);
  }
}

// As after a file system has grown past its reserved descriptors.
TEST(Geometry, KnowsWhichSuperblocksHaveTheFirstDescriptors) {
  Superblock superblock = plain_superblock(1024, 1'000'000);
  EXPECT_TRUE(Geometry(superblock, 1 << 30).has_first_descriptors(100));
  superblock.raw.s_feature_incompat |= EXT2_FEATURE_INCOMPAT_META_BG;
  EXPECT_TRUE(Geometry(superblock, 1 << 30).has_first_descriptors(100));
  superblock.raw.s_first_meta_bg = 1;
  const Geometry geometry(superblock, 1 << 30);
  EXPECT_TRUE(geometry.has_first_descriptors(31));
  EXPECT_FALSE(geometry.has_first_descriptors(32));
}

}  // namespace
}  // namespace e2qcow::ext2
