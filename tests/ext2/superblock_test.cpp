#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include "ext2/superblock_search.h"
#include "tests/support/errors.h"
#include "tests/support/ext2_image.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::uint64_t kTiB = 1ULL << 40;

void put_copy(SparseFile& disk, std::uint32_t block_size, std::uint64_t offset) {
  disk.put(offset, superblock_bytes(plain_superblock(block_size, 1'000'000)));
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

class MakesSense : public testing::Test {
 protected:
  bool makes_sense() const {
    SparseFile disk(1 << 20);
    disk.put(1024, superblock_bytes(superblock_));
    return read_superblock(disk, 1024).has_value();
  }
  Superblock superblock_ = plain_superblock(1024, 1000);
};

TEST_F(MakesSense, APlainSuperblock) {
  EXPECT_TRUE(makes_sense());
}

TEST_F(MakesSense, NothingWithoutTheMagic) {
  superblock_.raw.s_magic = 0xef54;
  EXPECT_FALSE(makes_sense());
}

TEST_F(MakesSense, BlocksOfUpTo64KiB) {
  superblock_.raw.s_log_block_size = 6;
  EXPECT_TRUE(makes_sense());
  for (const std::uint32_t log : {7U, 32U, 0xffffffffU}) {
    superblock_.raw.s_log_block_size = log;
    EXPECT_FALSE(makes_sense()) << log;
  }
}

TEST_F(MakesSense, InodesThatABitmapBlockCanCount) {
  superblock_.raw.s_inodes_per_group = 8192;
  EXPECT_TRUE(makes_sense());
  for (const std::uint32_t inodes : {0U, 8193U, 0xffffffffU}) {
    superblock_.raw.s_inodes_per_group = inodes;
    EXPECT_FALSE(makes_sense()) << inodes;
  }
}

TEST_F(MakesSense, GroupsOfAtLeastEightBlocks) {
  superblock_.raw.s_blocks_per_group = 8;
  EXPECT_TRUE(makes_sense());
  superblock_.raw.s_blocks_per_group = 7;
  EXPECT_FALSE(makes_sense());
}

TEST_F(MakesSense, OnlyBlocksThatABitmapBlockCanCount) {
  superblock_.raw.s_blocks_per_group = 8200;
  EXPECT_FALSE(makes_sense());
}

TEST_F(MakesSense, NotAFileSystemOfNoBlocks) {
  superblock_.raw.s_blocks_count = 0;
  EXPECT_FALSE(makes_sense());
}

TEST(ReadSuperblock, FindsNothingWhereTheFileEnds) {
  SparseFile disk(2048);
  put_copy(disk, 1024, 1024);
  EXPECT_TRUE(read_superblock(disk, 1024));
  EXPECT_FALSE(read_superblock(disk, 1025));
  EXPECT_FALSE(read_superblock(disk, ~0ULL));
  EXPECT_FALSE(read_superblock(SparseFile(1023), 0));
}

TEST(Superblock, CountsBlocksWith64BitsOnlyWhereItsFeaturesSaySo) {
  Superblock superblock = plain_superblock(4096, (5ULL << 32) + 7);
  EXPECT_EQ(superblock.blocks(), 7);
  superblock.raw.s_feature_incompat = EXT4_FEATURE_INCOMPAT_64BIT;
  EXPECT_EQ(superblock.blocks(), (5ULL << 32) + 7);
}

TEST(FindSuperblock, TakesThePrimary) {
  SparseFile disk(kTiB);
  put_copy(disk, 4096, 1024);
  put_copy(disk, 4096, 32768 * 4096ULL);
  EXPECT_EQ(found_at(disk), 1024);
  EXPECT_TRUE(find_superblock(disk, {}).is_primary());
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

TEST_P(FindBackup, TakesTheFirstWhereThePrimaryIsUnusable) {
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

TEST(FindSuperblock, FailsWhereTheChosenBlockHasNone) {
  SparseFile disk(kTiB);
  put_copy(disk, 4096, 1024);
  put_copy(disk, 4096, 32768 * 4096ULL);
  const Ending ending = ending_of([&] { found_at(disk, in_block(98304)); });
  EXPECT_EQ(ending.code, Errc::not_ext2);
  EXPECT_EQ(ending.text, "sparse.img: there is no ext2/3/4 superblock in block 98304");
  EXPECT_EQ(code_of([&] { found_at(disk, {.block = 32768, .block_size = 2048}); }), Errc::not_ext2);
}

TEST(FindSuperblock, FailsWhereTheChosenBlockIsFarBehindTheDisk) {
  SparseFile disk(kTiB);
  put_copy(disk, 1024, 1024);
  // 2^54 + 1 blocks of 1024 bytes are 2^64 + 1024 bytes.
  EXPECT_EQ(code_of([&] { found_at(disk, in_block((1ULL << 54) + 1)); }), Errc::not_ext2);
}

TEST(FindSuperblock, FailsOnADiskWithoutFileSystem) {
  const Ending ending = ending_of([] { found_at(SparseFile(1 << 20)); });
  EXPECT_EQ(ending.code, Errc::not_ext2);
  EXPECT_EQ(ending.text,
            "sparse.img: no ext2/3/4 file system found (neither its superblock nor a backup); "
            "--force dumps what else can be recognised");
}

TEST(Describe, BringsWhatTheSuperblockSays) {
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

TEST(Describe, SaysWhetherTheFileSystemIsClean) {
  Superblock superblock = plain_superblock(1024, 100);
  superblock.raw.s_state = 0;
  EXPECT_EQ(describe(superblock).state, "not clean");
  superblock.raw.s_state = EXT2_VALID_FS;
  EXPECT_EQ(describe(superblock).state, "clean");
  EXPECT_FALSE(describe(superblock).needs_recovery);
}

}  // namespace
}  // namespace e2qcow::ext2
