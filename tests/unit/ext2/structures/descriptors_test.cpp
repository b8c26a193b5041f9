// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/structures/descriptors.h"

#include <gtest/gtest.h>

#include "ext2/interpretation/superblock_search.h"
#include "tests/support/ext2_image.h"
#include "tests/support/real_filesystem.h"

namespace e2qcow::ext2 {
namespace {

struct CloseFilesystem {
  void operator()(ext2_filsys filesystem) const { ext2fs_close_free(&filesystem); }
};
using Judge = std::unique_ptr<struct_ext2_filsys, CloseFilesystem>;

// As libext2fs reads it.
Judge open_by_libext2fs(const std::string& path) {
  ext2_filsys filesystem = nullptr;
  EXPECT_EQ(ext2fs_open(path.c_str(), EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &filesystem), 0);
  return Judge(filesystem);
}

Bytes bytes_in(const ReadableFile& file, Extent range) {
  Bytes bytes(range.length);
  file.read(range.offset, bytes);
  return bytes;
}

// The file with one byte changed.
class ChangedFile : public SparseFile {
 public:
  ChangedFile(const ReadableFile& file, std::uint64_t offset)
      : SparseFile(file.size()), file_(file), offset_(offset) {}
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    file_.read(offset, out);
    if (offset_ >= offset && offset_ - offset < out.size()) out[offset_ - offset] ^= std::byte{0x10};
  }

 private:
  const ReadableFile& file_;
  std::uint64_t offset_;
};

struct Features {
  const char* name;
  const char* options;
  bool descriptors_have_checksums;
  bool bitmaps_have_checksums;
};

std::ostream& operator<<(std::ostream& out, const Features& features) {
  return out << features.name;
}
std::string name_of_features(const testing::TestParamInfo<Features>& info) {
  return info.param.name;
}

class Descriptors : public RealFilesystem, public testing::WithParamInterface<Features> {
 protected:
  void SetUp() override {
    RealFilesystem::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    path_ = make(GetParam().options, "40M");
    file_ = open(path_);
  }
  Filesystem filesystem() const { return {*file_, find_superblock(*file_, {})}; }
  // Of the primary copy.
  std::uint64_t offset_of(const Geometry& geometry, std::uint64_t group) const {
    return geometry.bytes({geometry.descriptor_blocks().front(), 1}).offset +
           group * geometry.descriptor_size();
  }
  bool is_proven_with_change_at(std::uint64_t offset, std::uint64_t group) const {
    const ChangedFile changed(*file_, offset);
    return Filesystem(changed, find_superblock(changed, {})).descriptors.is_proven(group);
  }

  std::string path_;
  std::unique_ptr<PosixFile> file_;
};

INSTANTIATE_TEST_SUITE_P(
    Features, Descriptors,
    testing::Values(
        Features{"Ext2", "-t ext2 -b 1024", false, false},
        Features{"Crc16", "-t ext4 -O ^metadata_csum,uninit_bg,^64bit -b 1024", true, false},
        Features{"Crc16Of64Bytes", "-t ext4 -O ^metadata_csum,uninit_bg,64bit -b 1024", true, false},
        Features{"Crc32c", "-t ext4 -O metadata_csum,^64bit -b 1024", true, true},
        Features{"Crc32cOf64Bytes", "-t ext4 -O metadata_csum,64bit -b 1024", true, true},
        Features{"ChecksumSeed", "-t ext4 -O metadata_csum,metadata_csum_seed -b 1024", true, true},
        Features{"MetaBg", "-t ext4 -O metadata_csum,meta_bg,^resize_inode -b 1024", true, true},
        Features{"Bigalloc", "-t ext4 -O metadata_csum,bigalloc -b 1024 -C 4096", true, true}),
    name_of_features);

TEST_P(Descriptors, AgreeWithLibext2fs) {
  const Judge judge = open_by_libext2fs(path_);
  const Filesystem ours = filesystem();
  ASSERT_EQ(ours.geometry.groups(), judge->group_desc_count);
  for (dgrp_t group = 0; group < judge->group_desc_count; ++group) {
    EXPECT_EQ(ours.descriptors.block_bitmap(group), ext2fs_block_bitmap_loc(judge.get(), group));
    EXPECT_EQ(ours.descriptors.inode_bitmap(group), ext2fs_inode_bitmap_loc(judge.get(), group));
    EXPECT_EQ(ours.descriptors.inode_table(group), ext2fs_inode_table_loc(judge.get(), group));
    EXPECT_EQ(ours.descriptors.unused_inodes(group), ext2fs_bg_itable_unused(judge.get(), group));
    for (const std::uint16_t flag : {std::uint16_t{EXT2_BG_INODE_UNINIT}, std::uint16_t{EXT2_BG_BLOCK_UNINIT},
                                     std::uint16_t{EXT2_BG_INODE_ZEROED}})
      EXPECT_EQ(ours.descriptors.has_flag(group, flag), ext2fs_bg_flags_test(judge.get(), group, flag) != 0);
  }
}

TEST_P(Descriptors, AreProvenIfTheyHaveChecksums) {
  const Filesystem ours = filesystem();
  for (std::uint64_t group = 0; group < ours.geometry.groups(); ++group)
    EXPECT_EQ(ours.descriptors.is_proven(group), GetParam().descriptors_have_checksums) << group;
}

TEST_P(Descriptors, AreNotProvenIfAnyByteIsWrong) {
  const Geometry geometry = filesystem().geometry;
  const std::uint64_t last = geometry.groups() - 1;
  for (std::uint64_t i = 0; i < geometry.descriptor_size(); ++i)
    EXPECT_FALSE(is_proven_with_change_at(offset_of(geometry, last) + i, last)) << i;
}

TEST_P(Descriptors, AreProvenEachOnItsOwn) {
  const Geometry geometry = filesystem().geometry;
  EXPECT_EQ(is_proven_with_change_at(offset_of(geometry, 0), 1), GetParam().descriptors_have_checksums);
}

TEST_P(Descriptors, TakeTheGroupsBitmapForPlausible) {
  const Filesystem ours = filesystem();
  for (std::uint64_t group = 0; group < ours.geometry.groups(); ++group) {
    if (ours.descriptors.has_flag(group, EXT2_BG_BLOCK_UNINIT)) continue;
    const BlockRun place{ours.descriptors.block_bitmap(group), 1};
    EXPECT_TRUE(ours.descriptors.is_bitmap_plausible(group, bytes_in(*file_, ours.geometry.bytes(place))));
  }
}

TEST_P(Descriptors, FindAWrongBitmapImplausibleIfItHasAChecksum) {
  const Filesystem ours = filesystem();
  const BlockRun place{ours.descriptors.block_bitmap(0), 1};
  Bytes bitmap = bytes_in(*file_, ours.geometry.bytes(place));
  bitmap[100] ^= std::byte{1};
  EXPECT_EQ(ours.descriptors.is_bitmap_plausible(0, bitmap), !GetParam().bitmaps_have_checksums);
}

TEST_P(Descriptors, AreReadFromTheBackupThatIsUsed) {
  const Filesystem primary = filesystem();
  const std::uint64_t place = primary.geometry.superblock_block(1);
  const Filesystem backup(*file_, find_superblock(*file_, {.block = place, .block_size = 1024}));
  for (std::uint64_t group = 0; group < primary.geometry.groups(); ++group) {
    EXPECT_EQ(backup.descriptors.block_bitmap(group), primary.descriptors.block_bitmap(group));
    EXPECT_EQ(backup.descriptors.inode_table(group), primary.descriptors.inode_table(group));
  }
}

// Source of the places: <ext2fs/ext2_fs.h>, struct ext4_group_desc
TEST(GroupDescriptors, HaveHighHalvesIfTheyHave64Bytes) {
  Superblock superblock = plain_superblock(4096, 1000);
  superblock.raw.s_feature_incompat = EXT4_FEATURE_INCOMPAT_64BIT;
  superblock.raw.s_desc_size = 64;
  Bytes bytes(4096);
  for (std::size_t i = 0; i < 64; ++i) bytes[i] = static_cast<std::byte>(i + 1);
  SparseFile disk(1000 * 4096);
  disk.put(4096, bytes);
  const GroupDescriptors descriptors(disk, superblock, Geometry(superblock, disk.size()));
  EXPECT_EQ(descriptors.block_bitmap(0), 0x24232221'04030201ULL);
  EXPECT_EQ(descriptors.inode_bitmap(0), 0x28272625'08070605ULL);
  EXPECT_EQ(descriptors.inode_table(0), 0x2c2b2a29'0c0b0a09ULL);
  EXPECT_EQ(descriptors.unused_inodes(0), 0x34331e1dU);
  EXPECT_EQ(descriptors.block_bitmap_checksum(0), 0x3a391a19U);
}

TEST(GroupDescriptors, AreZerosPastTheEndOfTheDevice) {
  Ext2Image image(1024, 100'000);
  image.set_descriptor(0, Ext2Image::kInodeTable, 7);
  const Filesystem whole = image.open();
  SparseFile cut(2 * 1024);
  cut.put(1024, superblock_bytes(image.superblock));
  const Filesystem filesystem(cut, image.superblock);
  EXPECT_EQ(whole.descriptors.inode_table(0), 7);
  EXPECT_EQ(filesystem.descriptors.inode_table(0), 0);
}

}  // namespace
}  // namespace e2qcow::ext2
