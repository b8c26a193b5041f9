// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/structures/inodes.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "ext2/structures/checksum.h"
#include "ext2/structures/inode.h"
#include "tests/support/extent_nodes.h"
#include "tests/support/strict_rules.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::uint64_t kMap = 40;
constexpr std::uint64_t kLow = 124;  // half of the checksum
constexpr std::uint64_t kHigh = 130;

struct RawInode {
  std::uint64_t mode = S_IFREG;
  Bytes map{};
  std::uint64_t flags = 0;
  std::uint64_t size = 0;
  std::uint64_t links = 1;
  std::size_t bytes = 128;
};

Bytes bytes_of_inode(const RawInode& inode) {
  Bytes bytes(inode.bytes);
  set_le(bytes, 0, inode.mode, 2);
  set_le(bytes, 4, inode.size, 4);
  set_le(bytes, 8, 0x5eed'5eed, 4);  // a time
  set_le(bytes, 26, inode.links, 2);
  set_le(bytes, 32, inode.flags, 4);
  std::ranges::copy(inode.map, bytes.begin() + kMap);
  if (inode.bytes > 128) set_le(bytes, 128, 32, 2);
  return bytes;
}

Bytes map_of(const Bytes& inode) {
  return part_of(inode, kMap, 60);
}
Bytes map_with(Bytes bytes) {
  bytes.resize(60);
  return bytes;
}

class Inodes : public testing::Test {
 protected:
  Bytes anonymized(Bytes bytes, bool has_checksums = false) {
    const InodeRules rules{.secret = secret_,
                           .strict = plain_,
                           .blocks = 2000,
                           .has_checksums = has_checksums,
                           .has_value_checksums = has_values_,
                           .anonymize_entries =
                               [this](std::uint32_t directory, std::span<std::byte> entries, Tally&) {
                                 EXPECT_EQ(directory, 12);
                                 entries_.emplace_back(entries.begin(), entries.end());
                                 std::ranges::fill(entries, std::byte{'e'});
                               },
                           .checksums_of_value = [](std::uint32_t) { return std::vector<ValueChecksum>{}; },
                           .checksum_of_zeros = [](std::uint64_t size) { return 0x1000U + size; }};
    anonymize_inode(rules, 12, bytes, tally_);
    return bytes;
  }
  Bytes anonymized_map(const RawInode& inode) { return map_of(anonymized(bytes_of_inode(inode))); }

  const Secret secret_ = test_secret();
  const StrictRules plain_ = test_rules(Strictness::plain);
  bool has_values_ = false;
  std::vector<Bytes> entries_;  // that were to be replaced
  Tally tally_;
};

TEST_F(Inodes, KeepExtents) {
  const Bytes map = map_with(extent_leaf({{100, 5}, {3000, 1}}));
  const Bytes expected = map_with(extent_leaf({{100, 5}, {0xffff'ffff'fff0, 1}}));
  EXPECT_EQ(anonymized_map({.map = map, .flags = EXT4_EXTENTS_FL}), expected);
  EXPECT_EQ(anonymized_map({.map = map}), expected);  // without their flag
}

TEST_F(Inodes, KeepPointers) {
  EXPECT_EQ(anonymized_map({.map = map_with(pointers({100, 1999, 2000}))}),
            map_with(pointers({100, 1999, 0xffff'fff0})));
}

TEST_F(Inodes, HaveNoContents) {
  EXPECT_TRUE(is_zero(anonymized_map({.map = filled(60, 's'), .flags = EXT4_INLINE_DATA_FL, .size = 60})));
}

TEST_F(Inodes, KeepTheParentOfADirectoryWithEntriesInThem) {
  Bytes map = filled(60, 's');
  set_le(map, 0, 2, 4);
  const Bytes result =
      anonymized_map({.mode = S_IFDIR, .map = map, .flags = EXT4_INLINE_DATA_FL, .links = 2});
  EXPECT_EQ(entries_, std::vector<Bytes>{filled(56, 's')});
  EXPECT_EQ(part_of(result, 0, 4), part_of(map, 0, 4));
  EXPECT_EQ(part_of(result, 4, 56), filled(56, 'e'));
}

TEST_F(Inodes, HideTheTargetOfALinkButForItsSlashes) {
  const RawInode link{.mode = S_IFLNK, .map = map_with(text_bytes("/home/ann/plan")), .size = 14};
  EXPECT_EQ(anonymized_map(link), map_with(text_bytes("/xxxx/xxx/xxxx")));
  RawInode in_data = link;
  in_data.flags = EXT4_INLINE_DATA_FL;
  EXPECT_EQ(anonymized_map(in_data), map_with(text_bytes("/xxxx/xxx/xxxx")));
  EXPECT_EQ(tally_.replaced, 2);
}

// e2fsck compares where it ends with the size.
TEST_F(Inodes, KeepWhetherTheTargetOfALinkEndsAtItsSize) {
  const RawInode longer{.mode = S_IFLNK, .map = map_with(text_bytes("target is longer")), .size = 6};
  EXPECT_EQ(anonymized_map(longer), map_with(text_bytes("xxxxxxx")));
  const RawInode shorter{.mode = S_IFLNK, .map = map_with(text_bytes("a/b")), .size = 10};
  EXPECT_EQ(anonymized_map(shorter), map_with(text_bytes("x/x")));
}

TEST_F(Inodes, HaveNoTargetOfADeletedLink) {
  const RawInode link{.mode = S_IFLNK, .map = map_with(text_bytes("target")), .size = 0, .links = 0};
  EXPECT_TRUE(is_zero(anonymized_map(link)));
}

TEST_F(Inodes, KeepTheLengthOfAnEncryptedTarget) {
  Bytes map = filled(60, 's');
  set_le(map, 0, 32, 2);
  const Bytes result =
      anonymized_map({.mode = S_IFLNK, .map = map, .flags = EXT4_ENCRYPT_FL, .size = 34, .links = 1});
  EXPECT_EQ(load_le<std::uint16_t>(result, 0), 32);
  EXPECT_NE(part_of(result, 2, 32), filled(32, 's'));
  EXPECT_TRUE(is_zero(std::span(result).subspan(34)));
}

TEST_F(Inodes, KeepTheNumberOfADevice) {
  for (const std::uint64_t mode : {S_IFCHR, S_IFBLK}) {
    for (const auto& [old_form, new_form] : {std::pair(0x0801, 0), std::pair(0, 0x12345678)}) {
      Bytes map = filled(60, 's');
      set_le(map, 0, static_cast<std::uint64_t>(old_form), 4);
      set_le(map, 4, static_cast<std::uint64_t>(new_form), 4);
      set_le(map, 12, 0, 4);
      Bytes expected = pointers(std::vector<std::uint64_t>(15, 1));
      std::ranges::copy(std::span(map).first(8), expected.begin());
      set_le(expected, 12, 0, 4);
      EXPECT_EQ(anonymized_map({.mode = mode, .map = map}), expected);
    }
    EXPECT_EQ(anonymized_map({.mode = mode, .map = filled(60, 's')}),
              pointers(std::vector<std::uint64_t>(15, 1)));
  }
}

TEST_F(Inodes, HaveNothingInPipesAndSockets) {
  for (const std::uint64_t mode : {S_IFIFO, S_IFSOCK}) {
    EXPECT_EQ(anonymized_map({.mode = mode, .map = filled(60, 's')}),
              pointers(std::vector<std::uint64_t>(15, 1)));
    EXPECT_TRUE(is_zero(anonymized_map({.mode = mode, .map = Bytes(60)})));
  }
}

TEST_F(Inodes, HaveNothingInReservedFields) {
  Bytes bytes = bytes_of_inode({});
  set_le(bytes, 112, 0x7373'7373, 4);
  set_le(bytes, 126, 0x7373, 2);
  const Bytes result = anonymized(bytes);
  EXPECT_EQ(load_le<std::uint32_t>(result, 112), 1);  // e2fsck sees that it is not zero
  EXPECT_EQ(load_le<std::uint16_t>(result, 126), 0);
}

TEST_F(Inodes, KeepKnownFieldsAfterTheFirst128Bytes) {
  Bytes bytes = bytes_of_inode({.bytes = 256});
  set_le(bytes, 128, 40, 2);
  std::ranges::fill(std::span(bytes).subspan(132), std::byte{'s'});
  const Bytes result = anonymized(bytes);
  EXPECT_EQ(part_of(result, 132, 28), filled(28, 's'));
  EXPECT_TRUE(is_zero(std::span(result).subspan(160)));
}

TEST_F(Inodes, HaveNothingThereIfTheLengthOfFieldsIsInvalid) {
  for (const std::uint64_t extra : {0, 2, 31, 132, 0xffff}) {
    Bytes bytes = bytes_of_inode({.bytes = 256});
    set_le(bytes, 128, extra, 2);
    std::ranges::fill(std::span(bytes).subspan(130), std::byte{'s'});
    const Bytes result = anonymized(bytes);
    EXPECT_TRUE(is_zero(std::span(result).subspan(130))) << extra;
  }
}

// Of a long link or a large directory, the rest is in an attribute.
Bytes with_data_in_attribute(RawInode inode, const Bytes& data) {
  inode.bytes = 256;
  Bytes bytes = bytes_of_inode(inode);
  const std::span<std::byte> list = std::span(bytes).subspan(164);
  set_le(bytes, 160, 0xea02'0000, 4);
  set_le(list, 0, 4, 1);
  set_le(list, 1, 7, 1);  // of the system
  set_le(list, 2, 60, 2);
  set_le(list, 8, data.size(), 4);
  std::ranges::copy(text_bytes("data"), list.begin() + 16);
  std::ranges::copy(data, list.begin() + 60);
  return bytes;
}
Bytes data_in_attribute(const Bytes& inode, std::size_t size) {
  return part_of(inode, 164 + 60, size);
}

TEST_F(Inodes, ReplaceTheRestOfWhatIsInThem) {
  const Bytes data = text_bytes("more/of/it");
  const RawInode link{.mode = S_IFLNK, .map = filled(60, 'p'), .flags = EXT4_INLINE_DATA_FL, .size = 70};
  EXPECT_EQ(data_in_attribute(anonymized(with_data_in_attribute(link, data)), 10), text_bytes("xxxx/xx/xx"));
  const RawInode directory{
      .mode = S_IFDIR, .map = Bytes(60), .flags = EXT4_INLINE_DATA_FL, .size = 70, .links = 2};
  EXPECT_EQ(data_in_attribute(anonymized(with_data_in_attribute(directory, data)), 10), filled(10, 'e'));
  EXPECT_EQ(entries_.back(), data);
  const RawInode file{.map = filled(60, 's'), .flags = EXT4_INLINE_DATA_FL, .size = 70};
  EXPECT_TRUE(is_zero(data_in_attribute(anonymized(with_data_in_attribute(file, data)), 10)));
}

TEST_F(Inodes, HaveNoAttributesIfTheyAreFree) {
  const RawInode file{.flags = EXT4_INLINE_DATA_FL, .size = 70, .links = 0};
  const Bytes result = anonymized(with_data_in_attribute(file, text_bytes("secret")));
  EXPECT_TRUE(is_zero(std::span(result).subspan(160)));
}

TEST_F(Inodes, HaveTheChecksumOfZerosInsteadOfThatOfAValue) {
  const RawInode value{.flags = EXT4_EA_INODE_FL, .size = 5000};
  EXPECT_EQ(load_le<std::uint32_t>(anonymized(bytes_of_inode(value)), 8), 0x5eed'5eed);
  has_values_ = true;
  EXPECT_EQ(load_le<std::uint32_t>(anonymized(bytes_of_inode(value)), 8), 0x1000 + 5000);
}

// Source: libext2fs, ext2fs_inode_csum()
std::uint32_t right_checksum(Bytes inode) {
  set_le(inode, kLow, 0, 2);
  if (inode.size() > 128) set_le(inode, kHigh, 0, 2);
  return crc32c(0x1234'5678, inode);
}

std::uint32_t checksum_in(const Bytes& inode) {
  const std::uint32_t high = inode.size() > 128 ? load_le<std::uint16_t>(inode, kHigh) : 0;
  return load_le<std::uint16_t>(inode, kLow) | high << 16;
}

TEST_F(Inodes, KeepARightChecksumRightAndAWrongOneWrong) {
  for (const std::size_t size : {128, 256})
    for (const std::uint32_t wrong_by : {0U, 0x40'0008U}) {
      Bytes bytes = bytes_of_inode(
          {.mode = S_IFLNK, .map = map_with(text_bytes("/home/ann/plan")), .size = 14, .bytes = size});
      const std::uint32_t stored = right_checksum(bytes) ^ wrong_by;
      set_le(bytes, kLow, stored & 0xffff, 2);
      if (size > 128) set_le(bytes, kHigh, stored >> 16, 2);
      const Bytes result = anonymized(bytes, true);
      const std::uint32_t expected = right_checksum(result) ^ wrong_by;
      EXPECT_EQ(checksum_in(result), size > 128 ? expected : expected & 0xffff);
    }
}

// An inode of zeros needs no checksum, whatever follows its first bytes.
TEST_F(Inodes, StayZeroWithoutAChecksum) {
  Bytes bytes(256);
  set_le(bytes, 200, 0x7373, 2);
  EXPECT_TRUE(is_zero(anonymized(bytes, true)));
}

TEST(Target, EndsWhereItDid) {
  Bytes target = bytes_of({'/', 'a', 0, 'b', '/', 0xff});
  anonymize_target(target);
  EXPECT_EQ(target, bytes_of({'/', 'x', 0, 'x', '/', 'x'}));
}

TEST(EncryptedTarget, HasNothingPastItsLength) {
  for (const std::uint64_t length : {0, 10, 22, 23, 0xffff}) {
    Bytes target = filled(24, 's');
    set_le(target, 0, length, 2);
    anonymize_encrypted_target(test_secret(), target);
    EXPECT_EQ(load_le<std::uint16_t>(target, 0), length);
    const std::size_t end = 2 + std::min<std::size_t>(length, 22);
    EXPECT_TRUE(is_zero(std::span(target).subspan(end))) << length;
    EXPECT_TRUE(length == 0 || part_of(target, 2, end - 2) != filled(end - 2, 's'));
  }
}

}  // namespace
}  // namespace e2qcow::ext2
