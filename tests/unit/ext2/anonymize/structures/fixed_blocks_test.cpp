// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/structures/fixed_blocks.h"

#include <gtest/gtest.h>

#include "ext2/structures/checksum.h"
#include "tests/support/ext2_image.h"
#include "tests/support/strict_rules.h"

namespace e2qcow::ext2 {
namespace {

// Sets a field that holds text.
template <std::size_t kSize>
void set_text(std::uint8_t (&field)[kSize], std::string_view text) {
  std::ranges::copy(text, std::begin(field));
}

class AnonymizedSuperblock : public testing::Test {
 protected:
  AnonymizedSuperblock() {
    std::ranges::fill(raw().s_hash_seed, 0x7373'7373);
    set_text(raw().s_volume_name, "payroll");
    set_text(raw().s_last_mounted, "/srv/payroll");
    set_text(raw().s_mount_opts, "journal_path=secret");
    set_text(raw().s_first_error_func, "ext4_find_entry");
    set_text(raw().s_last_error_func, "secret");
    set_text(raw().s_encrypt_pw_salt, "a secret salt");
    std::ranges::fill(raw().s_reserved, 0x7373'7373);
  }
  ext2_super_block& raw() { return superblock_.raw; }
  Bytes anonymized() { return anonymized(superblock_bytes(superblock_)); }
  Bytes anonymized(Bytes bytes) {
    anonymize_superblock({secret_, test_rules(Strictness::plain), {1, 2, 3, 4}}, bytes, tally_);
    return bytes;
  }
  template <typename Field>
  static Bytes field(const Bytes& bytes, Field ext2_super_block::*member) {
    const ext2_super_block none{};
    const auto offset = reinterpret_cast<const char*>(&(none.*member)) - reinterpret_cast<const char*>(&none);
    return part_of(bytes, static_cast<std::uint64_t>(offset), sizeof(Field));
  }
  static Bytes padded(std::string_view text, std::size_t size) {
    Bytes bytes = text_bytes(text);
    bytes.resize(size);
    return bytes;
  }

  const Secret secret_ = test_secret();
  Superblock superblock_ = plain_superblock(1024, 2000);
  Tally tally_;
};

TEST_F(AnonymizedSuperblock, HasNoTexts) {
  const Bytes bytes = anonymized();
  EXPECT_EQ(field(bytes, &ext2_super_block::s_volume_name), padded("anonymized", 16));
  EXPECT_TRUE(is_zero(field(bytes, &ext2_super_block::s_last_mounted)));
  EXPECT_TRUE(is_zero(field(bytes, &ext2_super_block::s_mount_opts)));
  EXPECT_TRUE(is_zero(field(bytes, &ext2_super_block::s_reserved)));
  EXPECT_EQ(tally_.replaced, 4);
}

TEST_F(AnonymizedSuperblock, HasNoLabelIfThereWasNone) {
  std::ranges::fill(raw().s_volume_name, std::uint8_t{0});
  EXPECT_TRUE(is_zero(field(anonymized(), &ext2_super_block::s_volume_name)));
}

TEST_F(AnonymizedSuperblock, KeepsNamesOfFunctionsOfTheKernel) {
  const Bytes bytes = anonymized();
  EXPECT_EQ(field(bytes, &ext2_super_block::s_first_error_func), padded("ext4_find_entry", 32));
  EXPECT_TRUE(is_zero(field(bytes, &ext2_super_block::s_last_error_func)));
  raw().s_first_error_func[20] = 's';  // after the end
  EXPECT_TRUE(is_zero(field(anonymized(), &ext2_super_block::s_first_error_func)));
  set_text(raw().s_last_error_func, "ext4_Secret");
  EXPECT_TRUE(is_zero(field(anonymized(), &ext2_super_block::s_last_error_func)));
}

TEST_F(AnonymizedSuperblock, HasTheNewSeedAndAnotherSalt) {
  const Bytes bytes = anonymized();
  EXPECT_EQ(field(bytes, &ext2_super_block::s_hash_seed),
            bytes_of({1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0}));
  EXPECT_NE(field(bytes, &ext2_super_block::s_encrypt_pw_salt), padded("a secret salt", 16));
  EXPECT_FALSE(is_zero(field(bytes, &ext2_super_block::s_encrypt_pw_salt)));
  std::ranges::fill(raw().s_encrypt_pw_salt, std::uint8_t{0});
  EXPECT_TRUE(is_zero(field(anonymized(), &ext2_super_block::s_encrypt_pw_salt)));
}

TEST_F(AnonymizedSuperblock, KeepsARightChecksumRightAndAWrongOneWrong) {
  raw().s_feature_ro_compat = EXT4_FEATURE_RO_COMPAT_METADATA_CSUM;
  const auto right_checksum = [](const Bytes& bytes) { return crc32c(~0U, std::span(bytes).first(1020)); };
  for (const std::uint32_t wrong_by : {0U, 0x40U}) {
    Bytes bytes = superblock_bytes(superblock_);
    set_le(bytes, 1020, right_checksum(bytes) ^ wrong_by, 4);
    const Bytes result = anonymized(bytes);
    EXPECT_EQ(load_le<std::uint32_t>(result, 1020), right_checksum(result) ^ wrong_by);
  }
}

TEST_F(AnonymizedSuperblock, HasNothingInPlaceOfTheChecksumIfThereIsNone) {
  raw().s_checksum = 0x7373'7373;
  EXPECT_EQ(load_le<std::uint32_t>(anonymized(), 1020), 0);
}

TEST_F(AnonymizedSuperblock, IsZeroWithoutItsMagic) {
  EXPECT_TRUE(is_zero(anonymized(filled(1024, 's'))));
  EXPECT_EQ(tally_.not_parsed, 1);
  EXPECT_TRUE(is_zero(anonymized(Bytes(1024))));
  EXPECT_EQ(tally_.not_parsed, 1);
}

class AnonymizedDescriptors : public testing::Test {
 protected:
  // Descriptors of 32 bytes.
  static void put(Bytes& block, std::size_t index, const std::vector<std::uint64_t>& numbers) {
    const auto descriptor = std::span(block).subspan(32 * index, 32);
    std::ranges::fill(descriptor, std::byte{0});
    for (const std::size_t count : {0x0c, 0x0e, 0x10, 0x12, 0x1c}) set_le(descriptor, count, 5, 2);
    for (const std::size_t checksum : {0x18, 0x1a, 0x1e}) set_le(descriptor, checksum, 0x7373, 2);
    for (std::size_t i = 0; i < numbers.size(); ++i) set_le(descriptor, 4 * i, numbers[i], 4);
  }
  Bytes anonymized(Bytes block, std::size_t used) {
    anonymize_descriptors(Geometry(plain_superblock(1024, 20000), 20000 * 1024), used, block, tally_);
    return block;
  }

  Tally tally_;
};

TEST_F(AnonymizedDescriptors, StayAndNothingAfterThem) {
  Bytes block = filled(1024, 's');
  put(block, 0, {10, 11, 12});
  put(block, 1, {10, 11, 19999});
  const Bytes result = anonymized(block, 64);
  EXPECT_EQ(part_of(result, 0, 64), part_of(block, 0, 64));
  EXPECT_TRUE(is_zero(std::span(result).subspan(64)));
  EXPECT_EQ(tally_.not_parsed, 0);
}

TEST_F(AnonymizedDescriptors, NameABlockThatIsAsWrong) {
  Bytes block(1024);
  put(block, 0, {10, 0x7373'7373, 12});
  Bytes expected = block;
  set_le(expected, 4, 0xffff'fff0, 4);
  EXPECT_EQ(anonymized(block, 32), expected);
}

TEST_F(AnonymizedDescriptors, HaveNoOtherFieldsIfTheyAreNone) {
  Bytes block(1024);
  put(block, 0, {0x7373'7373, 0x7373'7373, 12});
  const Bytes result = anonymized(block, 32);
  EXPECT_EQ(load_le<std::uint32_t>(result, 0), 0xffff'fff0);
  EXPECT_EQ(load_le<std::uint32_t>(result, 8), 12);
  EXPECT_TRUE(is_zero(std::span(result).subspan(12)));
  EXPECT_EQ(tally_.not_parsed, 1);
}

// As if text had been written over them.
TEST_F(AnonymizedDescriptors, HaveNoFieldsIfTheirCountsAreLargerThanAGroup) {
  Bytes block(1024);
  put(block, 0, {10, 11, 12});
  std::ranges::fill(std::span(block).subspan(0x0e, 9), std::byte{'s'});
  const Bytes result = anonymized(block, 32);
  EXPECT_EQ(load_le<std::uint32_t>(result, 4), 11);
  EXPECT_TRUE(is_zero(std::span(result).subspan(12)));
  EXPECT_EQ(tally_.not_parsed, 1);
}

class AnonymizedBitmap : public testing::Test {
 protected:
  AnonymizedBitmap() {
    image_.set_descriptor(0, Ext2Image::kBlockBitmap, 10);
    image_.set_descriptor(0, Ext2Image::kInodeBitmap, 11);
    image_.set_descriptor(0, Ext2Image::kInodeTable, 12);
  }
  Bytes anonymized(bool is_of_inodes, std::optional<std::uint64_t> group, Bytes bitmap) {
    anonymize_bitmap(image_.open(), {is_of_inodes, group.value_or(0), !group.has_value()}, bitmap, tally_);
    return bitmap;
  }

  Ext2Image image_{1024, 2000};
  Tally tally_;
};

TEST_F(AnonymizedBitmap, StaysIfItIsProvenAndNothingAfterIt) {
  Bytes bitmap = filled(1024, 's');
  const Bytes result = anonymized(true, std::nullopt, bitmap);  // of 32 inodes
  EXPECT_EQ(part_of(result, 0, 4), filled(4, 's'));
  EXPECT_TRUE(is_zero(std::span(result).subspan(4)));
  EXPECT_EQ(anonymized(false, std::nullopt, bitmap), bitmap);  // of as many blocks as it has bits
}

TEST_F(AnonymizedBitmap, MayEndInOnes) {
  Bytes bitmap = filled(1024, 0xff);
  bitmap[0] = std::byte{'s'};
  EXPECT_EQ(anonymized(true, std::nullopt, bitmap), bitmap);
  EXPECT_EQ(anonymized(true, 0, bitmap), bitmap);
}

TEST_F(AnonymizedBitmap, IsZeroIfItDoesNotLookLikeOne) {
  EXPECT_TRUE(is_zero(anonymized(true, 0, filled(1024, 's'))));
  EXPECT_TRUE(is_zero(anonymized(false, 0, filled(1024, 's'))));
  EXPECT_EQ(tally_.not_parsed, 2);
}

// The bits of both bitmaps and of the table of inodes: blocks 10 to 15, which begin with block 1.
TEST_F(AnonymizedBitmap, LooksLikeOneIfItHasTheStructuresOfItsGroup) {
  Bytes bitmap(1024);
  set_le(bitmap, 0, 0b0111'1110'0000'0000, 2);
  EXPECT_EQ(anonymized(false, 0, bitmap), bitmap);
  set_le(bitmap, 0, 0b0111'0110'0000'0000, 2);
  EXPECT_TRUE(is_zero(anonymized(false, 0, bitmap)));
}

class AnonymizedMmp : public testing::Test {
 protected:
  AnonymizedMmp() {
    set_le(block_, 0, EXT4_MMP_MAGIC, 4);
    set_le(block_, 4, 17, 4);
    set_le(block_, 8, 1'700'000'000, 8);
    std::ranges::copy(text_bytes("far.example"), block_.begin() + 16);
    std::ranges::copy(text_bytes("/dev/sdb1"), block_.begin() + 80);
    set_le(block_, 112, 5, 2);
    std::ranges::fill(std::span(block_).subspan(114), std::byte{'s'});
    set_le(block_, 1020, right_checksum(), 4);
  }
  std::uint32_t right_checksum() const { return crc32c(0x1234'5678, std::span(block_).first(1020)); }

  const StrictRules plain_ = test_rules(Strictness::plain);
  Bytes block_ = Bytes(1024);
  Tally tally_;
};

TEST_F(AnonymizedMmp, HasNoNames) {
  const Bytes before = block_;
  anonymize_mmp(plain_, false, block_, tally_);
  EXPECT_EQ(part_of(block_, 0, 16), part_of(before, 0, 16));
  EXPECT_TRUE(is_zero(std::span(block_).subspan(16, 96)));
  EXPECT_EQ(load_le<std::uint16_t>(block_, 112), 5);
  EXPECT_TRUE(is_zero(std::span(block_).subspan(114)));
}

TEST_F(AnonymizedMmp, KeepsARightChecksumRightAndAWrongOneWrong) {
  const Bytes before = block_;
  anonymize_mmp(plain_, true, block_, tally_);
  EXPECT_EQ(load_le<std::uint32_t>(block_, 1020), right_checksum());
  block_ = before;
  set_le(block_, 1020, right_checksum() ^ 4, 4);
  anonymize_mmp(plain_, true, block_, tally_);
  EXPECT_EQ(load_le<std::uint32_t>(block_, 1020), right_checksum() ^ 4);
}

TEST_F(AnonymizedMmp, IsZeroWithoutItsMagic) {
  block_[0] = std::byte{1};
  anonymize_mmp(plain_, true, block_, tally_);
  EXPECT_TRUE(is_zero(block_));
  EXPECT_EQ(tally_.not_parsed, 1);
}

}  // namespace
}  // namespace e2qcow::ext2
