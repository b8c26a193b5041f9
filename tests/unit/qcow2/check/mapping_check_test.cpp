// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/check/mapping_check.h"

#include <gtest/gtest.h>

#include "qcow2/check/checker.h"
#include "tests/unit/qcow2/test_image.h"

namespace e2qcow::qcow2 {
namespace {

constexpr std::uint64_t kCopied = TestImage::kCopied;

// What there is to say of an L1 entry or L2 entry that nothing else depends on.
Messages found_with_third_l1_entry(std::uint64_t entry) {
  TestImage image;
  image.put64(TestImage::kL1 + 16, entry);
  return found_in(image);
}
Messages found_with_third_l2_entry(std::uint64_t entry, std::uint32_t version = 3) {
  TestImage image(version);
  image.put64(TestImage::kL2 + 16, entry);
  return found_in(image);
}

TEST(MappingCheck, ReportsReservedBitsInL1Entries) {
  EXPECT_EQ(found_with_third_l1_entry(1), Messages{"corruption: L1 entry 2: 0x1 has reserved bits set"});
  EXPECT_EQ(found_with_third_l1_entry(1ULL << 62),
            Messages{"corruption: L1 entry 2: 0x4000000000000000 has reserved bits set"});
}

TEST(MappingCheck, ReadsTheTableOfAnL1EntryWithReservedBits) {
  TestImage image;
  image.flip64(TestImage::kL1, 1ULL << 56);
  EXPECT_EQ(found_in(image), Messages{"corruption: L1 entry 0: 0x8100000000000800 has reserved bits set"});
}

TEST(MappingCheck, ReportsAnL2TableThatIsNotAligned) {
  MemoryFile file;
  Writer(file, plan_layout(Geometry{10}, 1 << 20, {}), {}).finish();
  store_be<std::uint64_t>(std::span(file.data()), 1024, 512);
  EXPECT_EQ(check(file).messages,
            Messages{"corruption: L1 entry 0: the L2 table at 512 is not aligned to a cluster"});
}

TEST(MappingCheck, ReportsAnL2TablePastTheEndOfTheFile) {
  EXPECT_EQ(found_with_third_l1_entry(TestImage::kSize),
            Messages{"corruption: L1 entry 2: the L2 table at 4608 runs past the end of the file"});
}

TEST(MappingCheck, ReportsAnL2TableThatIsNotWhole) {
  TestImage image;
  image.put64(TestImage::kL1 + 16, kCopied | image.add_clusters());
  EXPECT_EQ(found_in(image), Messages{});
  image.file.data().pop_back();
  EXPECT_EQ(found_in(image),
            (Messages{"corruption: L1 entry 2: the L2 table at 4608 runs past the end of the file",
                      "leak: cluster at 4608: its refcount is 1, its references are 0"}));
}

TEST(MappingCheck, ReportsAnL2TableThatIsOtherMetadata) {
  EXPECT_EQ(found_with_third_l1_entry(TestImage::kRefcountBlock | kCopied),
            Messages{"corruption: L1 entry 2: the L2 table at 1536 overlaps the refcount block at 1536"});
}

TEST(MappingCheck, ReportsAnL2TableThatIsUsedTwice) {
  TestImage image;
  image.put64(TestImage::kL1 + 16, TestImage::kSecondL2);
  image.put64(TestImage::kL1 + 8, TestImage::kSecondL2);
  image.set_refcount(TestImage::kSecondL2, 2);
  image.set_refcount(TestImage::kLastData, 2);
  image.flip64(TestImage::kLastDataEntry, kCopied);
  EXPECT_EQ(found_in(image),
            Messages{"corruption: L1 table at 512: several of its entries have the L2 table at 2560"});
}

TEST(MappingCheck, ReportsACopiedL1EntryWithAnotherRefcount) {
  TestImage image;
  image.set_refcount(TestImage::kL2, 2);
  EXPECT_EQ(
      found_in(image),
      (Messages{"corruption: L1 entry 0: it is marked as copied, but the refcount of the cluster at 2048 is "
                "not 1",
                "leak: cluster at 2048: its refcount is 2, its references are 1"}));
}

TEST(MappingCheck, ReportsAnL1EntryWithARefcountOf1ThatIsNotCopied) {
  TestImage image;
  image.flip64(TestImage::kL1, kCopied);
  EXPECT_EQ(found_in(image),
            Messages{"corruption: L1 entry 0: it is not marked as copied, but the refcount of the "
                     "cluster at 2048 is 1"});
}

TEST(MappingCheck, ReportsACopiedL1EntryWithoutATable) {
  EXPECT_EQ(found_with_third_l1_entry(kCopied),
            Messages{"corruption: L1 entry 2: it is marked as copied, but has no L2 table"});
}

TEST(MappingCheck, ReportsAnL1TableThatIsOtherMetadata) {
  TestImage image;
  image.put64(40, TestImage::kRefcountTable);  // l1_table_offset
  EXPECT_EQ(
      corruptions_in(image),
      Messages{"corruption: L1 table at 1024: the L1 table at 1024 overlaps the refcount table at 1024"});
}

TEST(MappingCheck, ReportsReservedBitsInL2Entries) {
  EXPECT_EQ(found_with_third_l2_entry(2),
            Messages{"corruption: guest offset 1024: L2 entry 0x2 has reserved bits set"});
  EXPECT_EQ(found_with_third_l2_entry(1ULL << 61),
            Messages{"corruption: guest offset 1024: L2 entry 0x2000000000000000 has reserved bits set"});
}

TEST(MappingCheck, AcceptsZeroClusters) {
  EXPECT_EQ(found_with_third_l2_entry(1), Messages{});
}

TEST(MappingCheck, ReportsZeroClustersInVersion2) {
  EXPECT_EQ(found_with_third_l2_entry(1, 2),
            Messages{"corruption: guest offset 1024: a zero cluster in a version 2 image"});
}

TEST(MappingCheck, CountsTheClusterOfAZeroEntry) {
  TestImage image;
  image.put64(TestImage::kL2 + 16, image.add_clusters() | kCopied | 1);
  const CheckResult result = check(image.file);
  EXPECT_EQ(result.messages, Messages{});
  EXPECT_EQ(result.allocated_clusters, 4);
}

TEST(MappingCheck, ReportsDataThatIsNotAligned) {
  MemoryFile file;
  const Geometry geometry{10};
  Writer writer(file, plan_layout(geometry, 1 << 20, {.data = 1, .l2_tables = 1}), {});
  const std::vector<std::byte> data(1024, std::byte{1});
  Batch batch;
  batch.pieces = {{0, std::span(data)}};
  writer.append(batch);
  writer.finish();
  const std::uint64_t l2_offset = 4096;
  const std::uint64_t data_offset = 5120;
  store_be(std::span(file.data()), l2_offset, (data_offset + 512) | kCopied);
  EXPECT_EQ(check(file).messages,
            (Messages{"corruption: guest offset 0: the data at 5632 is not aligned to a cluster",
                      "leak: cluster at 5120: its refcount is 1, its references are 0"}));
}

TEST(MappingCheck, ReportsDataPastTheEndOfTheFile) {
  EXPECT_EQ(found_with_third_l2_entry(TestImage::kSize | kCopied),
            Messages{"corruption: guest offset 1024: the data at 4608 runs past the end of the file"});
  EXPECT_EQ(
      found_with_third_l2_entry((1ULL << 56) - 512),
      Messages{"corruption: guest offset 1024: the data at 72057594037927424 runs past the end of the file"});
  EXPECT_EQ(found_with_third_l2_entry(TestImage::kSize | 1),
            Messages{"corruption: guest offset 1024: the data at 4608 runs past the end of the file"});
}

TEST(MappingCheck, ReportsDataThatIsNotWhole) {
  TestImage image;
  image.file.data().pop_back();
  EXPECT_EQ(found_in(image),
            Messages{"corruption: guest offset 40960: the data at 4096 runs past the end of the file"});
}

TEST(MappingCheck, AcceptsDataThatIsCutOffAtTheEndOfTheDisk) {
  TestImage image;
  image.put64(TestImage::kDiskSizeField, 80 * 512 + 100);
  image.file.data().resize(TestImage::kLastData + 100);
  EXPECT_EQ(found_in(image), Messages{});
  image.file.data().pop_back();
  EXPECT_EQ(found_in(image).size(), 1);
}

TEST(MappingCheck, AcceptsClustersPastTheEndOfTheDisk) {
  TestImage image;
  image.put64(TestImage::kDiskSizeField, 512);
  EXPECT_EQ(found_in(image), Messages{});
}

// QEMU leaves it to the file system whether a cluster it will never read is there to its end.
TEST(MappingCheck, AcceptsAZeroClusterThatIsNotWhole) {
  TestImage image;
  image.flip64(TestImage::kLastDataEntry, 1);
  image.file.data().pop_back();
  EXPECT_EQ(found_in(image), Messages{});
}

TEST(MappingCheck, ReportsDataThatIsMetadata) {
  TestImage image;
  image.put64(TestImage::kL2 + 16, TestImage::kRefcountBlock | kCopied);
  EXPECT_EQ(found_in(image),
            Messages{"corruption: guest offset 1024: the data at 1536 overlaps the refcount block at 1536"});
}

TEST(MappingCheck, ReportsDataThatIsItsOwnTable) {
  TestImage image;
  image.put64(TestImage::kL2 + 16, TestImage::kL2 | kCopied);
  EXPECT_EQ(found_in(image),
            Messages{"corruption: guest offset 1024: the data at 2048 overlaps the L2 table at 2048"});
}

TEST(MappingCheck, AcceptsDataThatIsSharedAndCountedSo) {
  TestImage image;
  image.put64(TestImage::kL2 + 8, TestImage::kData);
  image.put64(TestImage::kL2, TestImage::kData);
  image.set_refcount(TestImage::kData, 2);
  image.set_refcount(TestImage::kData + 512, 0);
  EXPECT_EQ(found_in(image), Messages{});
}

TEST(MappingCheck, ReportsACopiedL2EntryWithAnotherRefcount) {
  TestImage image;
  image.set_refcount(TestImage::kData, 2);
  EXPECT_EQ(
      found_in(image),
      (Messages{"corruption: guest offset 0: it is marked as copied, but the refcount of the cluster at 3072 "
                "is not 1",
                "leak: cluster at 3072: its refcount is 2, its references are 1"}));
}

TEST(MappingCheck, ReportsAnL2EntryWithARefcountOf1ThatIsNotCopied) {
  TestImage image;
  image.flip64(TestImage::kL2, kCopied);
  EXPECT_EQ(found_in(image),
            Messages{"corruption: guest offset 0: it is not marked as copied, but the refcount of "
                     "the cluster at 3072 is 1"});
}

TEST(MappingCheck, ReportsACopiedL2EntryWithoutACluster) {
  EXPECT_EQ(found_with_third_l2_entry(kCopied),
            Messages{"corruption: guest offset 1024: it is marked as copied, but has no cluster"});
}

// Guest clusters 2 and 3 as 600 and 300 bytes of compressed data in two clusters after the others.
class CompressedImage : public TestImage {
 public:
  CompressedImage() {
    host_offset = add_clusters(2);
    put64(kL2 + 16, L2Entry::to_compressed(host_offset + 10, 600, Geometry{9}).raw());
    put64(kL2 + 24, L2Entry::to_compressed(host_offset + 610, 300, Geometry{9}).raw());
    set_refcount(host_offset + 512, 2);
  }
  std::uint64_t host_offset;
};

TEST(MappingCheck, CountsEveryClusterCompressedDataIsIn) {
  CompressedImage image;
  const CheckResult result = check(image.file);
  EXPECT_EQ(result.messages, Messages{});
  EXPECT_EQ(result.allocated_clusters, 5);
  EXPECT_EQ(result.compressed_clusters, 2);
  EXPECT_EQ(result.fragmented_clusters, 2);
  image.set_refcount(image.host_offset + 512, 1);
  EXPECT_EQ(found_in(image),
            Messages{"corruption: cluster at 5120: its refcount is 1, its references are 2"});
}

TEST(MappingCheck, AcceptsAFileThatEndsWithTheCompressedData) {
  CompressedImage image;
  image.file.data().resize(image.host_offset + 610 + 300);
  EXPECT_EQ(found_in(image), Messages{});
}

TEST(MappingCheck, ReportsCompressedDataPastTheEndOfTheFile) {
  CompressedImage image;
  image.put64(TestImage::kL2 + 24, L2Entry::to_compressed(image.host_offset + 1000, 30, Geometry{9}).raw());
  image.set_refcount(image.host_offset + 512, 1);
  EXPECT_EQ(
      found_in(image),
      Messages{"corruption: guest offset 1536: the compressed data at 5608 runs past the end of the file"});
  image.put64(TestImage::kL2 + 24, L2Entry::to_compressed(image.host_offset + 1024, 30, Geometry{9}).raw());
  EXPECT_EQ(
      found_in(image),
      Messages{"corruption: guest offset 1536: the compressed data at 5632 runs past the end of the file"});
  image.put64(TestImage::kL2 + 24, TestImage::kCompressed | 0x1fff'ffff'ffff'ffff);
  EXPECT_EQ(found_in(image),
            Messages{"corruption: guest offset 1536: the compressed data at 2305843009213693951 "
                     "runs past the end of the file"});
}

TEST(MappingCheck, ReportsCompressedDataThatBeginsPastTheEndOfTheFile) {
  CompressedImage image;
  image.file.data().resize(image.host_offset + 610);
  EXPECT_EQ(
      corruptions_in(image),
      Messages{"corruption: guest offset 1536: the compressed data at 5218 runs past the end of the file"});
}

TEST(MappingCheck, ReportsCompressedClustersThatAreMarkedAsCopied) {
  CompressedImage image;
  image.flip64(TestImage::kL2 + 16, kCopied);
  EXPECT_EQ(found_in(image),
            Messages{"corruption: guest offset 1024: a compressed cluster is marked as copied"});
}

TEST(MappingCheck, ReportsCompressedDataThatIsMetadata) {
  TestImage image;
  image.put64(TestImage::kL2 + 16, L2Entry::to_compressed(TestImage::kL1 + 100, 50, Geometry{9}).raw());
  EXPECT_EQ(found_in(image),
            Messages{"corruption: guest offset 1024: the data at 612 overlaps the L1 table at 512"});
}

}  // namespace
}  // namespace e2qcow::qcow2
