// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/interpretation/superblock_search.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/support/errors.h"
#include "tests/support/ext2_image.h"
#include "tests/support/sizes.h"

namespace e2qcow::ext2 {
namespace {

void put_copy(SparseFile& disk, std::uint32_t block_size, std::uint64_t offset) {
  Superblock superblock = plain_superblock(block_size, 1'000'000);
  superblock.raw.s_block_group_nr = static_cast<std::uint16_t>(offset / block_size / (8ULL * block_size));
  disk.put(offset, superblock_bytes(superblock));
}

std::uint64_t found_at(const SparseFile& disk, const SuperblockChoice& choice = {}) {
  return find_superblock(disk, choice).offset;
}

SuperblockChoice in_block(std::uint64_t block) {
  return {.block = block, .block_size = {}};
}
SuperblockChoice of_size(std::uint32_t block_size) {
  return {.block = {}, .block_size = block_size};
}

TEST(FindSuperblock, TakesThePrimary) {
  SparseFile disk(kTiB);
  put_copy(disk, 4096, 1024);
  put_copy(disk, 4096, 32768 * 4096ULL);
  EXPECT_EQ(found_at(disk), 1024);
  EXPECT_TRUE(find_superblock(disk, {}).is_primary());
}

TEST(FindSuperblock, RepairsThePrimaryIfNothingElseIsValid) {
  Superblock superblock = plain_superblock(1024, 8192);
  superblock.raw.s_inodes_per_group = 0xffffffff;
  SparseFile disk(8 << 20);
  disk.put(1024, superblock_bytes(superblock));
  EXPECT_EQ(find_superblock(disk, {}).raw.s_inodes_per_group, 32);
  EXPECT_TRUE(find_superblock(disk, {}).is_repaired);
  superblock.raw.s_inodes_count = 0xffffffff;
  disk.put(1024, superblock_bytes(superblock));
  EXPECT_EQ(code_of([&] { find_superblock(disk, {}); }), Errc::not_ext2);
}

class FindBackup : public testing::TestWithParam<std::uint32_t> {
 protected:
  // As mke2fs lays them out: groups of 8 blocks for each byte of a block; with 1 KiB they begin with block 1.
  static std::uint64_t offset_of_copy(std::uint64_t group) {
    const std::uint64_t block_size = GetParam();
    return (group * 8 * block_size + (block_size == 1024 ? 1 : 0)) * block_size;
  }
};
INSTANTIATE_TEST_SUITE_P(BlockSizes, FindBackup,
                         testing::Values(1024, 2048, 4096, 8192, 16384, 32768, 65536));

TEST_P(FindBackup, TakesTheFirstIfThePrimaryIsUnusable) {
  for (const std::uint64_t group : {1, 3, 5, 7, 9, 25, 27, 49}) {
    SparseFile disk(16 * kTiB);
    put_copy(disk, GetParam(), offset_of_copy(group));
    const Superblock found = find_superblock(disk, {});
    EXPECT_EQ(found.offset, offset_of_copy(group));
    EXPECT_EQ(found.block_size(), GetParam());
    EXPECT_FALSE(found.is_primary());
  }
}

TEST_P(FindBackup, DoesNotTakeACopyWithAnotherBlockSize) {
  SparseFile disk(16 * kTiB);
  put_copy(disk, GetParam() == 1024 ? 2048 : 1024, offset_of_copy(1));
  EXPECT_EQ(code_of([&] { found_at(disk); }), Errc::not_ext2);
}

TEST_P(FindBackup, TakesTheCopyInTheChosenBlock) {
  SparseFile disk(16 * kTiB);
  put_copy(disk, GetParam(), 1024);
  put_copy(disk, GetParam(), offset_of_copy(3));
  const std::uint64_t block = offset_of_copy(3) / GetParam();
  EXPECT_EQ(found_at(disk, in_block(block)), offset_of_copy(3));
  EXPECT_EQ(found_at(disk, {.block = block, .block_size = GetParam()}), offset_of_copy(3));
}

TEST(FindSuperblock, LooksOnlyForTheChosenBlockSize) {
  SparseFile disk(kTiB);
  put_copy(disk, 1024, 8193 * 1024ULL);
  put_copy(disk, 4096, 32768 * 4096ULL);
  EXPECT_EQ(found_at(disk), 8193 * 1024ULL);
  EXPECT_EQ(found_at(disk, of_size(4096)), 32768 * 4096ULL);
  EXPECT_EQ(code_of([&] { found_at(disk, of_size(2048)); }), Errc::not_ext2);
}

TEST(FindSuperblock, FailsIfTheChosenBlockHasNone) {
  SparseFile disk(kTiB);
  put_copy(disk, 4096, 1024);
  put_copy(disk, 4096, 32768 * 4096ULL);
  const Ending ending = ending_of([&] { found_at(disk, in_block(98304)); });
  EXPECT_EQ(ending.code, Errc::no_superblock);
  EXPECT_EQ(ending.text, "sparse.img: there is no ext2/3/4 superblock in block 98304");
  EXPECT_EQ(code_of([&] { found_at(disk, {.block = 32768, .block_size = 2048}); }), Errc::no_superblock);
}

TEST(FindSuperblock, FailsIfTheChosenBlockIsFarPastTheDisk) {
  SparseFile disk(kTiB);
  put_copy(disk, 1024, 1024);
  // 2^54 + 1 blocks of 1024 bytes are 2^64 + 1024 bytes.
  EXPECT_EQ(code_of([&] { found_at(disk, in_block((1ULL << 54) + 1)); }), Errc::no_superblock);
}

TEST(FindSuperblock, FailsOnADiskWithoutFileSystem) {
  const Ending ending = ending_of([] { found_at(SparseFile(1 << 20)); });
  EXPECT_EQ(ending.code, Errc::not_ext2);
  EXPECT_EQ(ending.text, "sparse.img: no ext2/3/4 file system found (neither its superblock nor a backup)");
}

TEST(SearchSuperblock, FindsNothingWhereFindFails) {
  EXPECT_FALSE(search_superblock(SparseFile(1 << 20), {}).superblock.has_value());
  EXPECT_FALSE(search_superblock(SparseFile(0), {}).superblock.has_value());
  SparseFile disk(kTiB);
  put_copy(disk, 4096, 1024);
  EXPECT_FALSE(search_superblock(disk, in_block(98304)).superblock.has_value());
}

TEST(UsualSuperblockOffsets, AreThePrimaryAndEightForEachBlockSize) {
  const auto offsets = usual_superblock_offsets();
  EXPECT_EQ(offsets.size(), 1 + 7 * 8);
  EXPECT_EQ(offsets.front(), 1024);
  const std::set<std::uint64_t> all(offsets.begin(), offsets.end());
  for (const std::uint64_t offset :
       {8193ULL * 1024, 24577ULL * 1024, 32768ULL * 4096, 49ULL * 524288 * 65536})
    EXPECT_TRUE(all.contains(offset)) << offset;
}

// Copies of groups that are smaller than mke2fs makes them.
class SmallGroups : public testing::Test {
 protected:
  // Says which group it belongs to.
  void put_copy_of(std::uint16_t group, std::uint64_t offset) {
    superblock_.raw.s_block_group_nr = group;
    disk_.put(offset, superblock_bytes(superblock_));
  }
  void use_groups_of(std::uint32_t blocks) {
    superblock_.raw.s_blocks_per_group = superblock_.raw.s_clusters_per_group = blocks;
  }
  std::optional<std::uint64_t> found() const {
    const auto superblock = search_superblock(disk_, {}).superblock;
    return superblock ? std::optional(superblock->offset) : std::nullopt;
  }

  Superblock superblock_ = plain_superblock(1024, 100'000);
  SparseFile disk_{256 << 20};
};

TEST_F(SmallGroups, HaveACopyAtTheOffsetItNames) {
  use_groups_of(256);
  put_copy_of(3, (1 + 3 * 256) * 1024);
  put_copy_of(5, (1 + 5 * 256) * 1024);
  EXPECT_EQ(found(), (1 + 3 * 256) * 1024);
}

TEST_F(SmallGroups, BeginWithBlock0IfBlocksAreLarger) {
  superblock_ = plain_superblock(4096, 10'000);
  use_groups_of(512);
  put_copy_of(3, 3 * 512 * 4096);
  EXPECT_EQ(found(), 3 * 512 * 4096);
}

// With bigalloc the first group begins with block 0 even if blocks have 1 KiB.
TEST_F(SmallGroups, BeginWithBlock0IfThereAreClusters) {
  superblock_.raw.s_feature_ro_compat = EXT4_FEATURE_RO_COMPAT_BIGALLOC;
  superblock_.raw.s_log_cluster_size = 2;
  use_groups_of(32768);
  superblock_.raw.s_clusters_per_group = 8192;
  put_copy_of(1, 32768 * 1024);
  EXPECT_EQ(found(), 32768 * 1024);
}

TEST_F(SmallGroups, HaveNoCopyInAJournalOrAFile) {
  use_groups_of(256);
  put_copy_of(3, 3 * 256 * 1024);
  put_copy_of(0, 5000 * 1024);
  EXPECT_EQ(found(), std::nullopt);
}

TEST_F(SmallGroups, HaveNoCopyOfTheFirstGroup) {
  superblock_ = plain_superblock(4096, 10'000);
  put_copy_of(0, 0);
  EXPECT_EQ(found(), std::nullopt);
}

TEST_F(SmallGroups, AreLookedForInTheFirst64MiB) {
  use_groups_of(256);
  put_copy_of(300, (1 + 300 * 256) * 1024);
  EXPECT_EQ(found(), std::nullopt);
  put_copy_of(255, (1 + 255 * 256) * 1024);
  EXPECT_EQ(found(), (1 + 255 * 256) * 1024);
}

TEST_F(SmallGroups, AreFoundAtTheVeryEndOfADisk) {
  use_groups_of(256);
  superblock_.raw.s_block_group_nr = 3;
  SparseFile disk((1 + 3 * 256 + 1) * 1024);
  disk.put((1 + 3 * 256) * 1024, superblock_bytes(superblock_));
  EXPECT_TRUE(search_superblock(disk, {}).superblock.has_value());
}

}  // namespace
}  // namespace e2qcow::ext2
