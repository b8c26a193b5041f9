// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/check/refcount_check.h"

#include <gtest/gtest.h>

#include "qcow2/check/checker.h"
#include "tests/unit/qcow2/test_image.h"

namespace e2qcow::qcow2 {
namespace {

RefcountPage decode(std::uint32_t refcount_order, std::initializer_list<int> first_bytes) {
  std::vector<std::byte> bytes(512);
  std::size_t position = 0;
  for (const int byte : first_bytes) bytes[position++] = static_cast<std::byte>(byte);
  return decode_refcounts(bytes, refcount_order);
}

RefcountPage page(std::initializer_list<std::uint64_t> first_refcounts) {
  RefcountPage page{};
  std::ranges::copy(first_refcounts, page.begin());
  return page;
}

TEST(DecodeRefcounts, BeginsAtTheLowestBitOfAByte) {
  EXPECT_EQ(decode(0, {0b00000101, 0b10000000}), page({1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}));
  EXPECT_EQ(decode(1, {0b00011011, 0b11000000}), page({3, 2, 1, 0, 0, 0, 0, 3}));
  EXPECT_EQ(decode(2, {0x21, 0xf3}), page({1, 2, 3, 15}));
}

TEST(DecodeRefcounts, IsBigEndian) {
  EXPECT_EQ(decode(3, {1, 255}), page({1, 255}));
  EXPECT_EQ(decode(4, {1, 2, 0, 3}), page({0x0102, 3}));
  EXPECT_EQ(decode(5, {1, 2, 3, 4, 0, 0, 0, 5}), page({0x01020304, 5}));
  EXPECT_EQ(decode(6, {1, 2, 3, 4, 5, 6, 7, 8}), page({0x0102030405060708}));
}

TEST(RefcountCheck, ReportsARefcountThatIsTooLow) {
  TestImage image(2);
  image.set_refcount(TestImage::kRefcountTable, 0);
  const CheckResult result = check(image.file);
  EXPECT_EQ(result.messages,
            Messages{"corruption: cluster at 1024: its refcount is 0, its references are 1"});
  EXPECT_EQ(result.corruptions, 1);
  EXPECT_EQ(result.leaks, 0);
}

TEST(RefcountCheck, ReportsARefcountThatIsTooHighAsALeak) {
  TestImage image;
  image.set_refcount(TestImage::kRefcountTable, 3);
  const CheckResult result = check(image.file);
  EXPECT_EQ(result.messages, Messages{"leak: cluster at 1024: its refcount is 3, its references are 1"});
  EXPECT_EQ(result.corruptions, 0);
  EXPECT_EQ(result.leaks, 1);
}

TEST(RefcountCheck, ReportsAnUnusedClusterAsALeak) {
  TestImage image;
  image.add_clusters();
  const CheckResult result = check(image.file);
  EXPECT_EQ(result.messages, Messages{"leak: cluster at 4608: its refcount is 1, its references are 0"});
  EXPECT_EQ(result.image_end_offset, TestImage::kSize + 512);
}

TEST(RefcountCheck, AcceptsAReservedClusterThatIsNotUsed) {
  TestImage image;
  image.set_refcount(image.add_clusters(), 0);
  const CheckResult result = check(image.file);
  EXPECT_EQ(result.messages, Messages{});
  EXPECT_EQ(result.image_end_offset, TestImage::kSize);
}

// Nothing is there that could be lost, and qemu-img does not look at them either.
TEST(RefcountCheck, IgnoresRefcountsPastTheEndOfTheFile) {
  TestImage image;
  image.set_refcount(TestImage::kSize, 1);
  EXPECT_EQ(found_in(image), Messages{});
}

TEST(RefcountCheck, CountsClustersWithoutARefcountBlock) {
  TestImage image(2);
  image.put64(TestImage::kRefcountTable, 0);
  for (std::uint64_t l1_entry = 0; l1_entry < 2; ++l1_entry)
    image.flip64(TestImage::kL1 + l1_entry * 8, TestImage::kCopied);
  for (const std::uint64_t l2_entry : {TestImage::kL2, TestImage::kL2 + 8, TestImage::kLastDataEntry})
    image.flip64(l2_entry, TestImage::kCopied);
  const CheckResult result = check(image.file);
  EXPECT_EQ(result.corruptions, 8);  // all clusters but the block
  EXPECT_EQ(result.leaks, 0);
  EXPECT_EQ(result.messages.front(), "corruption: cluster at 0: its refcount is 0, its references are 1");
  EXPECT_EQ(result.messages.back(), "corruption: cluster at 4096: its refcount is 0, its references are 1");
}

// What there is to say of a refcount table entry, when cluster 3 is still the block that is used.
Messages found_with_second_entry(std::uint64_t entry) {
  TestImage image;
  image.put64(TestImage::kRefcountTable + 8, entry);
  return found_in(image);
}

TEST(RefcountCheck, ReportsReservedBitsInARefcountTableEntry) {
  EXPECT_EQ(found_with_second_entry(TestImage::kSize - 1),
            Messages{"corruption: refcount table entry 1: 0x11ff has reserved bits set"});
}

TEST(RefcountCheck, ReportsARefcountBlockPastTheEndOfTheFile) {
  EXPECT_EQ(
      found_with_second_entry(TestImage::kSize),
      Messages{
          "corruption: refcount table entry 1: the refcount block at 4608 runs past the end of the file"});
  EXPECT_EQ(
      found_with_second_entry(~511ULL),
      Messages{"corruption: refcount table entry 1: the refcount block at 18446744073709551104 runs past the "
               "end of the file"});
}

TEST(RefcountCheck, ReportsARefcountBlockThatIsSomethingElse) {
  EXPECT_EQ(
      found_with_second_entry(TestImage::kRefcountTable),
      (Messages{"corruption: refcount table entry 1: the refcount block at 1024 overlaps the refcount table "
                "at 1024"}));
}

TEST(RefcountCheck, ReportsARefcountBlockThatIsUsedTwice) {
  EXPECT_EQ(
      found_with_second_entry(TestImage::kRefcountBlock),
      (Messages{"corruption: refcount table entry 1: the refcount block at 1536 overlaps the refcount block "
                "at 1536"}));
}

TEST(RefcountCheck, AcceptsABlockThatCountsNothing) {
  TestImage image;
  image.put64(TestImage::kRefcountTable + 8, image.add_clusters());
  EXPECT_EQ(found_in(image), Messages{});
}

// An image with refcounts of other widths, which all are 1.
class RefcountCheckOfWidth : public testing::TestWithParam<std::uint32_t> {
 protected:
  RefcountCheckOfWidth() {
    image_.put<std::uint32_t>(TestImage::kRefcountOrderField, GetParam());
    for (std::uint64_t cluster = 0; cluster < TestImage::kSize / 512; ++cluster)
      image_.set_refcount(cluster * 512, 0);
    for (std::uint64_t cluster = 0; cluster < TestImage::kSize / 512; ++cluster) set_refcount(cluster, 1);
  }
  void set_refcount(std::uint64_t cluster, std::uint64_t refcount) {
    const std::uint64_t bits = 1ULL << GetParam();
    const std::uint64_t last_byte = TestImage::kRefcountBlock + (cluster * bits + bits - 1) / 8;
    std::byte& byte = image_.file.data()[last_byte];
    const std::uint64_t shift = cluster * bits % 8;
    const std::uint64_t mask = bits < 8 ? (1U << bits) - 1 : 0xff;
    byte =
        static_cast<std::byte>((std::to_integer<std::uint64_t>(byte) & ~(mask << shift)) | refcount << shift);
  }
  TestImage image_;
};

TEST_P(RefcountCheckOfWidth, FindsNothingInAGoodImage) {
  EXPECT_EQ(found_in(image_), Messages{});
}

TEST_P(RefcountCheckOfWidth, FindsARefcountThatIsTooLow) {
  set_refcount(2, 0);
  EXPECT_EQ(found_in(image_),
            Messages{"corruption: cluster at 1024: its refcount is 0, its references are 1"});
}

TEST_P(RefcountCheckOfWidth, FindsALeak) {
  image_.file.data().resize(TestImage::kSize + 512);
  set_refcount(9, 1);
  EXPECT_EQ(found_in(image_), Messages{"leak: cluster at 4608: its refcount is 1, its references are 0"});
}

INSTANTIATE_TEST_SUITE_P(AllWidths, RefcountCheckOfWidth, testing::Range(0U, 7U));

}  // namespace
}  // namespace e2qcow::qcow2
