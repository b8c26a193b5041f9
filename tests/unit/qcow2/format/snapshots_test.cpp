// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/format/snapshots.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "qcow2/check/checker.h"
#include "qcow2/read/reader.h"
#include "tests/unit/qcow2/test_image.h"

namespace e2qcow::qcow2 {
namespace {

// An image and a snapshot of it, which shares all L2 tables and data.
class SnapshotImage : public TestImage {
 public:
  explicit SnapshotImage(std::uint32_t version = 3, std::uint32_t extra_bytes = 16) : TestImage(version) {
    l1_offset = add_clusters();
    table_offset = add_clusters();
    put<std::uint32_t>(kSnapshotCountField, 1);
    put64(kSnapshotsOffsetField, table_offset);
    put64(table_offset, l1_offset);
    put<std::uint32_t>(table_offset + 8, 4);
    put<std::uint16_t>(table_offset + 12, 1);  // bytes of the id
    put<std::uint16_t>(table_offset + 14, 4);  // bytes of the name
    put<std::uint32_t>(table_offset + 36, extra_bytes);
    for (std::uint64_t i = 0; i < 2; ++i) {
      flip64(kL1 + i * 8, kCopied);
      put64(l1_offset + i * 8, get<std::uint64_t>(kL1 + i * 8));
    }
    for (const std::uint64_t l2_entry : {kL2, kL2 + 8, kLastDataEntry}) flip64(l2_entry, kCopied);
    for (std::uint64_t host_offset = kL2; host_offset < kSize; host_offset += kCluster)
      set_refcount(host_offset, 2);
  }
  std::uint64_t l1_offset;
  std::uint64_t table_offset;
};

TEST(Snapshots, CountsWhatASnapshotShares) {
  const CheckResult result = check(SnapshotImage().file);
  EXPECT_EQ(result.messages, Messages{});
  EXPECT_EQ(result.allocated_clusters, 3);
}

TEST(Snapshots, FindsDataThatIsCountedOnce) {
  SnapshotImage image;
  image.set_refcount(TestImage::kLastData, 1);
  image.flip64(TestImage::kLastDataEntry, TestImage::kCopied);
  EXPECT_EQ(found_in(image),
            Messages{"corruption: cluster at 4096: its refcount is 1, its references are 2"});
}

TEST(Snapshots, LooksIntoTablesThatOnlyASnapshotHas) {
  SnapshotImage image;
  const std::uint64_t l2_offset = image.add_clusters();
  image.put64(image.l1_offset + 16, l2_offset);
  image.put64(l2_offset, 2);
  EXPECT_EQ(found_in(image),
            Messages{"corruption: snapshot 1: guest offset 65536: L2 entry 0x2 has reserved bits set"});
}

// As QEMU, which reads no L1 table of a snapshot but to check it.
TEST(Snapshots, DoNotStopTheReaderAtReservedBitsInL1Entries) {
  SnapshotImage image;
  image.flip64(image.l1_offset, 1);
  EXPECT_EQ(corruptions_in(image),
            Messages{"corruption: snapshot 1: L1 entry 0: 0x801 has reserved bits set"});
  EXPECT_EQ(Reader(image.file).check_tables().data_bytes(), 3 * TestImage::kCluster);
}

TEST(Snapshots, AreAContradictionIfTheirTableHasAnEntryThatIsNotValid) {
  SnapshotImage image;
  image.put<std::uint16_t>(image.table_offset + 14, 60000);
  Reader reader(image.file);
  EXPECT_EQ(reader.check_tables().data_bytes(), 3 * TestImage::kCluster);
  EXPECT_EQ(reader.contradiction(), "snapshot table entry 1: its size, 60057 bytes, is not valid");
}

TEST(Snapshots, DoesNotLookAtCopiedFlagsOfSnapshots) {
  SnapshotImage image;
  const std::uint64_t l2_offset = image.add_clusters();
  image.put64(image.l1_offset + 16, l2_offset);
  image.put64(l2_offset, image.add_clusters());
  EXPECT_EQ(found_in(image), Messages{});
}

// The disk may have had another size, and the file may end with it.
TEST(Snapshots, AcceptsDataOfSnapshotsThatIsNotWhole) {
  SnapshotImage image;
  const std::uint64_t l2_offset = image.add_clusters();
  image.put64(image.l1_offset + 16, l2_offset);
  image.put64(l2_offset, image.add_clusters());
  image.file.data().pop_back();
  EXPECT_EQ(found_in(image), Messages{});
}

TEST(Snapshots, ReportsASnapshotTableThatIsOtherMetadata) {
  SnapshotImage image;
  image.put64(TestImage::kRefcountTable + 8, image.table_offset);
  EXPECT_EQ(corruptions_in(image), Messages{"corruption: snapshot table at 5120: the snapshot table at 5120 "
                                            "overlaps the refcount block at 5120"});
}

TEST(Snapshots, ReportsAnL1TableThatIsNotAligned) {
  SnapshotImage image;
  image.put64(image.table_offset, image.l1_offset + 8);
  EXPECT_EQ(
      corruptions_in(image),
      Messages{"corruption: snapshot 1: L1 table at 4616: the L1 table at 4616 is not aligned to a cluster"});
}

TEST(Snapshots, ReportsAnL1TablePastTheEndOfTheFile) {
  SnapshotImage image;
  image.put<std::uint32_t>(image.table_offset + 8, 200);
  EXPECT_EQ(
      corruptions_in(image),
      Messages{
          "corruption: snapshot 1: L1 table at 4608: the L1 table at 4608 runs past the end of the file"});
}

TEST(Snapshots, ReportsAnL1TableThatIsTooLarge) {
  SnapshotImage image;
  image.put<std::uint32_t>(image.table_offset + 8, (4 << 20) + 1);
  EXPECT_EQ(corruptions_in(image),
            Messages{"corruption: snapshot 1: an L1 table of 4194305 entries is too large"});
}

TEST(Snapshots, ReportsAnL1TableThatIsUsedTwice) {
  SnapshotImage image;
  image.put64(image.table_offset, TestImage::kL1);
  EXPECT_EQ(
      corruptions_in(image),
      Messages{"corruption: snapshot 1: L1 table at 512: the L1 table at 512 overlaps the L1 table at 512"});
}

TEST(Snapshots, ReportsATableThatEndsInsideAnEntry) {
  SnapshotImage image;
  image.put<std::uint32_t>(TestImage::kSnapshotCountField, 2);
  image.file.data().resize(image.table_offset + 64 + 39);
  EXPECT_EQ(found_in(image),
            Messages{"corruption: snapshot table entry 2: it runs past the end of the file"});
}

TEST(Snapshots, AcceptsAFileThatEndsBeforeThePaddingOfTheTable) {
  SnapshotImage image;
  image.file.data().resize(image.table_offset + 40 + 16 + 1 + 4);
  EXPECT_EQ(found_in(image), Messages{});
  image.put<std::uint32_t>(TestImage::kSnapshotCountField, 2);
  EXPECT_EQ(found_in(image),
            Messages{fmt::format("corruption: header: the snapshot table (80 bytes at {}) runs "
                                 "past the end of the file ({} bytes)",
                                 image.table_offset, image.file.size())});
}

TEST(Snapshots, ReportsAnEntryThatEndsPastTheFile) {
  SnapshotImage image;
  image.put<std::uint16_t>(image.table_offset + 14, 60000);
  EXPECT_EQ(corruptions_in(image),
            Messages{"corruption: snapshot table entry 1: its size, 60057 bytes, is not valid"});
}

TEST(Snapshots, ReportsMoreExtraDataThanQemuReads) {
  SnapshotImage image(3, 1032);
  image.file.data().resize(TestImage::kSize + 5120);
  EXPECT_EQ(corruptions_in(image),
            Messages{"corruption: snapshot table entry 1: its size, 1077 bytes, is not valid"});
}

TEST(Snapshots, ReportsMissingExtraData) {
  EXPECT_EQ(found_in(SnapshotImage(3, 8)),
            Messages{"corruption: snapshot table entry 1: it has 8 bytes of extra data and needs 16"});
}

TEST(Snapshots, AcceptsMissingExtraDataInVersion2) {
  EXPECT_EQ(found_in(SnapshotImage(2, 0)), Messages{});
}

}  // namespace
}  // namespace e2qcow::qcow2
