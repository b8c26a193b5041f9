// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/interpretation/superblock_copies.h"

#include <gtest/gtest.h>

#include "tests/support/ext2_image.h"

namespace e2qcow::ext2 {
namespace {

using Offsets = std::vector<std::uint64_t>;

constexpr std::uint64_t kGroups = 10;
constexpr std::uint64_t kGroupBlocks = 256;
constexpr std::size_t kNoLimit = 100;

constexpr std::uint64_t offset_of_copy(std::uint64_t group) {
  return (1 + group * kGroupBlocks) * 1024;
}

// Ten groups of 256 blocks of 1 KiB, with copies in groups 0, 1, 3, 5, 7 and 9 and descriptors after each.
class Copies : public testing::Test {
 protected:
  Copies() : superblock_(plain_superblock(1024, 1 + kGroups * kGroupBlocks)), disk_(600 << 20) {
    superblock_.raw.s_blocks_per_group = superblock_.raw.s_clusters_per_group = kGroupBlocks;
    superblock_.raw.s_feature_ro_compat = EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER;
    superblock_.raw.s_inodes_count = kGroups * 32;
    for (const std::uint64_t group : {0, 1, 3, 5, 7, 9}) put_copy(group, superblock_, 20);
  }

  void put_copy(std::uint64_t group, Superblock superblock, std::uint64_t first_inode_table) {
    superblock.raw.s_block_group_nr = static_cast<std::uint16_t>(group);
    put_at(offset_of_copy(group), superblock, first_inode_table);
  }
  void put_at(std::uint64_t offset, const Superblock& superblock, std::uint64_t first_inode_table) {
    Bytes descriptors(superblock.block_size());
    for (std::uint64_t i = 0; i < kGroups; ++i) {
      set_le(descriptors, i * 32, 10 + i * kGroupBlocks, 4);
      set_le(descriptors, i * 32 + 4, 11 + i * kGroupBlocks, 4);
      set_le(descriptors, i * 32 + 8, first_inode_table + i * kGroupBlocks, 4);
    }
    disk_.put(offset, superblock_bytes(superblock));
    const std::uint64_t block = offset / superblock.block_size();
    disk_.put((block + 1) * superblock.block_size(), descriptors);
  }
  // As seen from the copy at `offset`.
  Offsets differing(std::size_t limit = kNoLimit, std::uint64_t offset = 1024) const {
    const Filesystem filesystem(disk_, *read_superblock(disk_, offset));
    Offsets offsets;
    for (const Superblock& copy : differing_copies(filesystem, limit)) offsets.push_back(copy.offset);
    return offsets;
  }
  Superblock changed(std::uint32_t ext2_super_block::*field, std::uint32_t value) const {
    Superblock superblock = superblock_;
    superblock.raw.*field = value;
    return superblock;
  }

  Superblock superblock_;
  SparseFile disk_;
};

TEST_F(Copies, TellTheSameInAHealthyFileSystem) {
  EXPECT_EQ(differing(), Offsets{});
}

TEST_F(Copies, DifferIfTheirGeometryDoes) {
  put_copy(3, changed(&ext2_super_block::s_inodes_per_group, 64), 20);
  EXPECT_EQ(differing(), Offsets{offset_of_copy(3)});
}

TEST_F(Copies, DifferIfTheirDescriptorsDo) {
  put_copy(1, superblock_, 40);
  EXPECT_EQ(differing(), Offsets{offset_of_copy(1)});
}

TEST_F(Copies, DifferEvenIfAnotherOneAgreed) {
  put_copy(7, superblock_, 40);
  EXPECT_EQ(differing(), Offsets{offset_of_copy(7)});
}

TEST_F(Copies, DoNotDifferInWhatChangesAllTheTime) {
  Superblock other = superblock_;
  other.raw.s_free_blocks_count = 5;
  other.raw.s_state = EXT2_ERROR_FS;
  other.raw.s_mtime = 77;
  other.raw.s_feature_incompat = EXT3_FEATURE_INCOMPAT_RECOVER;
  for (const std::uint64_t group : {1, 3, 5, 7, 9}) put_copy(group, other, 20);
  EXPECT_EQ(differing(), Offsets{});
}

TEST_F(Copies, CountOnceIfTheyDisagreeInTheSameWay) {
  for (const std::uint64_t group : {1, 3, 5, 7, 9}) put_copy(group, superblock_, 40);
  EXPECT_EQ(differing(), Offsets{offset_of_copy(1)});
}

TEST_F(Copies, AreAtMostAsManyAsAreAskedFor) {
  for (const std::uint64_t group : {1, 3, 5, 7, 9}) put_copy(group, superblock_, 40 + group);
  EXPECT_EQ(differing(3), (Offsets{offset_of_copy(1), offset_of_copy(3), offset_of_copy(5)}));
  EXPECT_EQ(differing(0), Offsets{});
}

TEST_F(Copies, ThatAreInvalidAreIgnored) {
  put_copy(1, changed(&ext2_super_block::s_blocks_count, 0), 40);
  EXPECT_EQ(differing(), Offsets{});
}

// Linux before 5.18 gave the backups in new groups the number 0, when a file system grew while it was
// mounted.
TEST_F(Copies, WithoutTheFirstDescriptorsBehindThemAreIgnoredWhateverTheirNumber) {
  superblock_.raw.s_feature_incompat = EXT2_FEATURE_INCOMPAT_META_BG;
  superblock_.raw.s_first_meta_bg = 1;
  superblock_.raw.s_blocks_count = 1 + 60 * kGroupBlocks;
  superblock_.raw.s_inodes_count = 60 * 32;
  for (const std::uint64_t group : {0, 1, 3, 5, 7, 9, 25, 27}) put_copy(group, superblock_, 20);
  for (const int number : {49, 0}) {
    Superblock copy = superblock_;
    copy.raw.s_block_group_nr = static_cast<std::uint16_t>(number);
    put_at((1 + 49 * kGroupBlocks) * 1024, copy, 70);  // the descriptors of groups 32 to 63 are elsewhere
    EXPECT_EQ(differing(), Offsets{}) << number;
  }
}

TEST_F(Copies, IncludeThePrimaryIfABackupIsUsed) {
  put_copy(0, superblock_, 40);
  EXPECT_EQ(differing(kNoLimit, offset_of_copy(3)), Offsets{1024});
}

// Where the usual ones are, but this file system has none there.
TEST_F(Copies, AreSearchedAtTheUsualOffsetsIfNoneAgrees) {
  const Superblock other = changed(&ext2_super_block::s_blocks_count, 20'000);
  put_at(32768 * 4096ULL, plain_superblock(4096, 40'000), 20);
  EXPECT_EQ(differing(), Offsets{});
  for (const std::uint64_t group : {1, 3, 5, 7, 9}) put_copy(group, other, 20);
  EXPECT_EQ(differing(), (Offsets{offset_of_copy(1), 32768 * 4096ULL}));
}

TEST_F(Copies, OfAnOlderFileSystemDoNotCountWhereThisOneHasOneGroup) {
  superblock_.raw.s_blocks_count = kGroupBlocks;
  superblock_.raw.s_inodes_count = superblock_.raw.s_inodes_per_group;
  put_copy(0, superblock_, 20);
  put_at(8193 * 1024ULL, plain_superblock(1024, 40'000), 20);
  EXPECT_EQ(differing(), Offsets{});
}

// It has the inodes of ten groups.
TEST_F(Copies, AreSearchedIfOnlyOneGroupIsLeftButMoreInodes) {
  superblock_.raw.s_blocks_count = kGroupBlocks;
  put_copy(0, superblock_, 20);
  put_at(8193 * 1024ULL, plain_superblock(1024, 40'000), 20);
  EXPECT_EQ(differing(), Offsets{8193 * 1024ULL});
}

TEST_F(Copies, AreSearchedEvenIfThePrimaryDeniesThem) {
  Superblock primary = superblock_;
  primary.raw.s_feature_compat = EXT4_FEATURE_COMPAT_SPARSE_SUPER2;  // without groups for copies
  put_copy(0, primary, 20);
  EXPECT_EQ(differing(), Offsets{offset_of_copy(1)});
}

TEST_F(Copies, AreFoundIfThereIsOneInEachGroup) {
  superblock_.raw.s_feature_ro_compat = 0;
  for (std::uint64_t group = 0; group < kGroups; ++group) put_copy(group, superblock_, 20);
  put_copy(6, changed(&ext2_super_block::s_inodes_per_group, 64), 20);
  EXPECT_EQ(differing(), Offsets{offset_of_copy(6)});
}

}  // namespace
}  // namespace e2qcow::ext2
