// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/structures/descriptor_checksums.h"

#include <gtest/gtest.h>

#include "ext2/structures/checksum.h"
#include "tests/support/ext2_image.h"
#include "tests/support/test_secret.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::uint64_t kInodeBitmapChecksum = 26;

// A file system with a group, whose descriptor and bitmap have right checksums.
class DescriptorChecksum : public testing::TestWithParam<std::uint32_t> {
 protected:
  DescriptorChecksum() {
    image_.superblock.raw.s_feature_ro_compat = GetParam();
    image_.set_descriptor(0, Ext2Image::kInodeTable, 40);
    image_.set_descriptor(0, Ext2Image::kBlockBitmapChecksum, crc32c(seed(), bitmap_) & 0xffff);
    image_.set_descriptor(0, Ext2Image::kChecksum, right_checksum());
  }
  bool has_crc32c() const { return GetParam() == EXT4_FEATURE_RO_COMPAT_METADATA_CSUM; }
  std::uint32_t seed() const { return checksum_seed(image_.superblock); }
  std::uint32_t right_checksum() {
    Bytes text(4);  // the number of the group
    const auto descriptor = image_.descriptor(0).first(Ext2Image::kChecksum);
    text.insert(text.end(), descriptor.begin(), descriptor.end());
    if (!has_crc32c())
      return crc16(crc16(0xffff, std::as_bytes(std::span(image_.superblock.raw.s_uuid))), text);
    text.resize(text.size() + 2);
    return crc32c(seed(), text) & 0xffff;
  }

  Ext2Image image_{1024, 2000};
  const Bytes bitmap_ = filled(1024, 0x35);
};

TEST_P(DescriptorChecksum, IsRightWithTheNewUuid) {
  ASSERT_TRUE(image_.open().descriptors.is_proven(0));
  const StrictRules rules(Strictness::strict, test_secret(), image_.superblock);
  Bytes descriptor(image_.descriptor(0).begin(), image_.descriptor(0).end());
  DescriptorChecksums(rules, image_.open()).patch(descriptor);
  for (const std::uint64_t field :
       {Ext2Image::kBlockBitmapChecksum, kInodeBitmapChecksum, Ext2Image::kChecksum})
    image_.set_descriptor(0, field, load_le<std::uint16_t>(descriptor, field));
  EXPECT_FALSE(image_.open().descriptors.is_proven(0));
  rules.replace_uuid(std::as_writable_bytes(std::span(image_.superblock.raw.s_uuid)));
  const Filesystem filesystem = image_.open();
  EXPECT_TRUE(filesystem.descriptors.is_proven(0));
  EXPECT_TRUE(filesystem.descriptors.is_bitmap_plausible(0, bitmap_));
}

INSTANTIATE_TEST_SUITE_P(Kinds, DescriptorChecksum,
                         testing::Values(EXT4_FEATURE_RO_COMPAT_METADATA_CSUM,
                                         EXT4_FEATURE_RO_COMPAT_GDT_CSUM));

}  // namespace
}  // namespace e2qcow::ext2
