// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/structures/inode.h"

#include <gtest/gtest.h>

#include "tests/support/bytes.h"

namespace e2qcow::ext2 {
namespace {

// Source: <ext2fs/ext2_fs.h>, struct ext2_inode
class InodeTest : public testing::Test {
 protected:
  void set_mode(std::uint64_t mode) { set_le(bytes_, 0, mode, 2); }
  void set_size(std::uint64_t size) { set_le(bytes_, 4, size, 4); }
  void set_flags(std::uint64_t flags) { set_le(bytes_, 32, flags, 4); }
  Inode inode() const { return Inode(bytes_); }

  Bytes bytes_ = Bytes(128);
};

constexpr std::uint64_t kFifo = 0010600;
constexpr std::uint64_t kCharacterDevice = 0020600;
constexpr std::uint64_t kDirectory = 0040755;
constexpr std::uint64_t kBlockDevice = 0060600;
constexpr std::uint64_t kRegular = 0100644;
constexpr std::uint64_t kSymlink = 0120777;
constexpr std::uint64_t kSocket = 0140755;
constexpr std::uint64_t kExtents = 0x80000;
constexpr std::uint64_t kInlineData = 0x10000000;

TEST_F(InodeTest, BringsItsFields) {
  for (int i = 0; i < 128; ++i) bytes_[static_cast<std::size_t>(i)] = static_cast<std::byte>(i);
  EXPECT_EQ(inode().mode(), 0x0100);
  EXPECT_EQ(inode().size_low(), 0x07060504U);
  EXPECT_EQ(inode().size_high(), 0x6f6e6d6cU);
  EXPECT_EQ(inode().flags(), 0x23222120U);
  EXPECT_EQ(inode().xattr_block_low(), 0x6b6a6968U);
  EXPECT_EQ(inode().xattr_block_high(), 0x7776U);
  EXPECT_EQ(inode().map().size(), 60);
  EXPECT_EQ(inode().map().front(), std::byte{40});
  EXPECT_EQ(inode().map().back(), std::byte{99});
}

TEST_F(InodeTest, KnowsWhatItIs) {
  for (const std::uint64_t mode :
       {kFifo, kCharacterDevice, kDirectory, kBlockDevice, kRegular, kSymlink, kSocket}) {
    set_mode(mode);
    EXPECT_EQ(inode().is_directory(), mode == kDirectory) << std::oct << mode;
    EXPECT_EQ(inode().is_symlink(), mode == kSymlink) << std::oct << mode;
  }
}

TEST_F(InodeTest, KnowsWhetherItUsesExtents) {
  EXPECT_FALSE(inode().uses_extents());
  set_flags(kExtents);
  EXPECT_TRUE(inode().uses_extents());
  set_flags(~kExtents);
  EXPECT_FALSE(inode().uses_extents());
}

TEST_F(InodeTest, HasAMapIfItIsAFileOrDirectoryOfAnySize) {
  for (const std::uint64_t mode : {kRegular, kDirectory})
    for (const std::uint64_t size : {0, 10, 100'000}) {
      set_mode(mode);
      set_size(size);
      EXPECT_FALSE(inode().has_no_map()) << std::oct << mode;
    }
}

TEST_F(InodeTest, HasNoMapIfItIsADeviceOrFifoOrSocket) {
  for (const std::uint64_t mode : {kFifo, kCharacterDevice, kBlockDevice, kSocket}) {
    set_mode(mode);
    EXPECT_TRUE(inode().has_no_map()) << std::oct << mode;
  }
}

TEST_F(InodeTest, HoldsTheTargetOfAShortLinkInPlaceOfAMap) {
  set_mode(kSymlink);
  set_size(59);
  EXPECT_TRUE(inode().has_no_map());
  set_size(60);
  EXPECT_FALSE(inode().has_no_map());
}

TEST_F(InodeTest, HasAMapIfALinkHasNoLengthUnlessItIsDeleted) {
  set_mode(kSymlink);
  set_size(0);
  set_le(bytes_, 26, 1, 2);  // links
  EXPECT_FALSE(inode().has_no_map());
  set_le(bytes_, 26, 0, 2);
  EXPECT_TRUE(inode().has_no_map());
}

TEST_F(InodeTest, HasAMapIfALinkIsShortOnlyInItsLowBits) {
  set_mode(kSymlink);
  set_size(10);
  set_le(bytes_, 108, 1, 4);
  EXPECT_FALSE(inode().has_no_map());
}

TEST_F(InodeTest, HasAMapIfAShortLinkUsesExtents) {
  set_mode(kSymlink);
  set_size(10);
  set_flags(kExtents);
  EXPECT_FALSE(inode().has_no_map());
}

TEST_F(InodeTest, HasNoMapIfItHoldsItsDataItself) {
  for (const std::uint64_t mode : {kRegular, kDirectory}) {
    set_mode(mode);
    set_flags(kInlineData);
    EXPECT_TRUE(inode().has_no_map()) << std::oct << mode;
  }
}

TEST_F(InodeTest, HasAMapIfItIsCertainlyOneDespiteTheFlag) {
  set_mode(kDirectory);
  set_flags(kInlineData);
  set_le(bytes_, 40, 0xf30a, 2);
  EXPECT_TRUE(inode().has_no_map()) << "two bytes may be data";
  set_le(bytes_, 44, 4, 2);
  EXPECT_FALSE(inode().has_no_map());
}

TEST_F(InodeTest, HasAMapIfItsModeIsInvalid) {
  for (const std::uint64_t mode : {0000000, 0030000, 0170000}) {
    set_mode(mode);
    EXPECT_FALSE(inode().has_no_map()) << std::oct << mode;
  }
}

}  // namespace
}  // namespace e2qcow::ext2
