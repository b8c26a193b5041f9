// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/format/bitmaps.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include "qcow2/check/checker.h"
#include "qcow2/read/reader.h"
#include "tests/support/bytes.h"
#include "tests/support/errors.h"
#include "tests/unit/qcow2/test_image.h"

namespace e2qcow::qcow2 {
namespace {

constexpr std::uint64_t kDirectoryBytes = 32;

std::vector<Extension> bitmaps_extension(std::size_t bytes) {
  return {{kBitmaps, std::vector<std::byte>(bytes)}};
}

std::error_code code_of_reading(const TestImage& image) {
  return code_of([&] { Reader(image.file).check_tables(); });
}

std::string contradiction_in(const TestImage& image) {
  Reader reader(image.file);
  reader.check_tables();
  return reader.contradiction();
}

// An image with a bitmap of 512 bytes, a cluster, for each 32 bytes of the disk.
class BitmapImage : public TestImage {
 public:
  static constexpr std::uint64_t kExtension = 112 + 8;

  explicit BitmapImage(std::size_t extension_bytes = 24) : TestImage(3, bitmaps_extension(extension_bytes)) {
    directory = add_clusters();
    table = add_clusters();
    bitmap = add_clusters();
    put64(kAutoclearField, 1);
    put<std::uint32_t>(kExtension, 1);
    put64(kExtension + 8, kDirectoryBytes);
    put64(kExtension + 16, directory);
    put64(directory, table);
    put<std::uint32_t>(directory + 8, 1);
    put<std::uint8_t>(directory + 16, 1);   // type
    put<std::uint8_t>(directory + 17, 9);   // granularity bits
    put<std::uint16_t>(directory + 18, 4);  // bytes of the name
    put64(table, bitmap);
  }
  // With the longest names; the directory moves to a part of the disk with room.
  void set_name_bytes(std::uint16_t count) {
    put(directory + 18, count);
    const Bytes entry = part_of(file.data(), directory, 24);
    set_refcount(directory, 0);
    directory = add_clusters(3);
    file.write(directory, entry);
    put64(kExtension + 8, 24 + 1024);
    put64(kExtension + 16, directory);
  }

  std::uint64_t directory;
  std::uint64_t table;
  std::uint64_t bitmap;
};

TEST(Bitmaps, CountsDirectoryTableAndData) {
  EXPECT_EQ(found_in(BitmapImage()), Messages{});
}

TEST(Bitmaps, FindsLowRefcountsOfDirectoryTableAndData) {
  BitmapImage image;
  for (const std::uint64_t host_offset : {image.directory, image.table, image.bitmap})
    image.set_refcount(host_offset, 0);
  EXPECT_EQ(found_in(image),
            (Messages{"corruption: cluster at 4608: its refcount is 0, its references are 1",
                      "corruption: cluster at 5120: its refcount is 0, its references are 1",
                      "corruption: cluster at 5632: its refcount is 0, its references are 1"}));
}

TEST(Bitmaps, TakesBitmapsThatMayBeOutOfDateForLeaks) {
  BitmapImage image;
  image.put64(TestImage::kAutoclearField, 0);
  const CheckResult result = check(image.file);
  EXPECT_EQ(result.corruptions, 0);
  EXPECT_EQ(result.leaks, 3);
}

TEST(Bitmaps, AcceptsThePromiseOfBitmapsWithoutAnExtension) {
  TestImage image;
  image.put64(TestImage::kAutoclearField, 1);
  EXPECT_EQ(found_in(image), Messages{});
}

TEST(Bitmaps, AcceptsBitmapsOfAllZerosOrAllOnes) {
  BitmapImage image;
  image.set_refcount(image.bitmap, 0);
  image.put64(image.table, 0);
  EXPECT_EQ(found_in(image), Messages{});
  image.put64(image.table, 1);
  EXPECT_EQ(found_in(image), Messages{});
}

TEST(Bitmaps, ReportsAnExtensionOfAnotherSize) {
  EXPECT_EQ(corruptions_in(BitmapImage(32)), Messages{"corruption: bitmaps extension: it is not valid"});
}

TEST(Bitmaps, ReportsAnExtensionWithoutBitmaps) {
  BitmapImage image;
  image.put<std::uint32_t>(BitmapImage::kExtension, 0);
  EXPECT_EQ(corruptions_in(image), Messages{"corruption: bitmaps extension: it is not valid"});
}

TEST(Bitmaps, ReportsReservedBitsInTheExtension) {
  BitmapImage image;
  image.put<std::uint32_t>(BitmapImage::kExtension + 4, 1);
  EXPECT_EQ(corruptions_in(image), Messages{"corruption: bitmaps extension: it is not valid"});
}

TEST(Bitmaps, ReportsADirectoryThatIsTooLarge) {
  BitmapImage image;
  image.put64(BitmapImage::kExtension + 8, (64 << 20) + 8);
  EXPECT_EQ(corruptions_in(image), Messages{"corruption: bitmaps extension: it is not valid"});
}

TEST(Bitmaps, ReportsADirectoryPastTheEndOfTheFile) {
  BitmapImage image;
  image.put64(BitmapImage::kExtension + 16, TestImage::kCluster * 100);
  EXPECT_EQ(
      corruptions_in(image),
      Messages{"corruption: bitmaps extension: the bitmap directory at 51200 runs past the end of the file"});
}

TEST(Bitmaps, ReportsADirectoryThatEndsInsideAnEntry) {
  BitmapImage image;
  image.put64(BitmapImage::kExtension + 8, 23);
  EXPECT_EQ(corruptions_in(image), Messages{"corruption: bitmap directory: it ends inside an entry"});
  image.put64(BitmapImage::kExtension + 8, 31);
  EXPECT_EQ(corruptions_in(image), Messages{"corruption: bitmap directory: it ends inside an entry"});
  image.put64(BitmapImage::kExtension + 8, 33);
  EXPECT_EQ(corruptions_in(image), Messages{"corruption: bitmap directory: it ends inside an entry"});
}

TEST(Bitmaps, ReportsAnotherNumberOfBitmapsThanPromised) {
  BitmapImage image;
  image.put<std::uint32_t>(BitmapImage::kExtension, 2);
  EXPECT_EQ(found_in(image),
            Messages{"corruption: bitmap directory: it has 1 entries, but the extension has another number"});
}

TEST(Bitmaps, ReportsATablePastTheEndOfTheFile) {
  BitmapImage image;
  image.put64(image.directory, TestImage::kCluster * 100);
  EXPECT_EQ(corruptions_in(image),
            Messages{"corruption: bitmap 1: the bitmap table at 51200 runs past the end of the file"});
}

TEST(Bitmaps, ReportsATableThatIsOtherMetadata) {
  BitmapImage image;
  image.put64(image.directory, TestImage::kL1);
  EXPECT_EQ(corruptions_in(image),
            Messages{"corruption: bitmap 1: the bitmap table at 512 overlaps the L1 table at 512"});
}

TEST(Bitmaps, ReportsReservedBitsInTableEntries) {
  for (const int bit : {0, 1, 8, 56, 61, 62, 63}) {
    SCOPED_TRACE(bit);
    BitmapImage image;
    image.flip64(image.table, 1ULL << bit);
    const Messages messages = found_in(image);
    EXPECT_EQ(messages.size(), 2);  // and a leak
    EXPECT_NE(messages.front().find("has reserved bits set"), std::string::npos) << messages.front();
  }
}

// The disk does not depend on bitmaps.
TEST(Bitmaps, DoNotStopTheReaderAtReservedBitsInTableEntries) {
  for (const int bit : {0, 1, 8, 56, 61, 62, 63}) {
    SCOPED_TRACE(bit);
    BitmapImage image;
    EXPECT_EQ(code_of_reading(image), std::error_code());
    image.flip64(image.table, 1ULL << bit);
    EXPECT_EQ(code_of_reading(image), std::error_code());
    EXPECT_NE(contradiction_in(image).find("bitmap table entry 0"), std::string::npos);
  }
}

// As QEMU, which does not load such a bitmap.
TEST(Bitmaps, DoNotStopTheReaderAtTablesOfBitmapsInUse) {
  BitmapImage image;
  image.put<std::uint32_t>(image.directory + 12, 1);
  image.flip64(image.table, 2);
  EXPECT_EQ(code_of_reading(image), std::error_code());
  EXPECT_EQ(corruptions_in(image),
            Messages{"corruption: bitmap table entry 0: 0x1602 has reserved bits set"});
}

TEST(Bitmaps, ReportsDataThatIsOtherMetadata) {
  BitmapImage image;
  image.put64(image.table, TestImage::kL2);
  EXPECT_EQ(
      corruptions_in(image),
      Messages{"corruption: bitmap table entry 0: the bitmap data at 2048 overlaps the L2 table at 2048"});
}

struct WrongField {
  std::uint64_t offset;
  std::uint8_t value;
};

class BitmapsWith : public testing::TestWithParam<WrongField> {};

TEST_P(BitmapsWith, ReportsAnEntryThatIsNotValid) {
  BitmapImage image;
  image.put<std::uint8_t>(image.directory + GetParam().offset, GetParam().value);
  EXPECT_EQ(corruptions_in(image),
            Messages{"corruption: bitmap 1: its entry in the bitmap directory is not valid"});
  EXPECT_EQ(contradiction_in(image), "bitmap 1: its entry in the bitmap directory is not valid");
}

INSTANTIATE_TEST_SUITE_P(WrongFields, BitmapsWith,
                         testing::Values(WrongField{8, 0x80},   // 2^31 table entries
                                         WrongField{11, 0},     // no table entries
                                         WrongField{11, 2},     // twice as many as the disk needs
                                         WrongField{12, 0x80},  // a reserved flag
                                         WrongField{15, 4},     // the flag for extra data
                                         WrongField{23, 4},     // extra data
                                         WrongField{16, 2},     // another type
                                         WrongField{17, 8},     // granularity
                                         WrongField{17, 32}));  // granularity

TEST(Bitmaps, ReportsABitmapAtTheHeader) {
  BitmapImage image;
  image.put64(image.directory, 0);
  EXPECT_EQ(corruptions_in(image),
            Messages{"corruption: bitmap 1: its entry in the bitmap directory is not valid"});
}

TEST(Bitmaps, ReportsABitmapWithoutAName) {
  BitmapImage image;
  image.put<std::uint16_t>(image.directory + 18, 0);
  image.put64(BitmapImage::kExtension + 8, 24);
  EXPECT_EQ(corruptions_in(image),
            Messages{"corruption: bitmap 1: its entry in the bitmap directory is not valid"});
}

TEST(Bitmaps, ReportsANameThatIsTooLong) {
  BitmapImage image;
  image.set_name_bytes(1024);
  EXPECT_EQ(corruptions_in(image),
            Messages{"corruption: bitmap 1: its entry in the bitmap directory is not valid"});
}

TEST(Bitmaps, AcceptsTheLargestGranularityAndTheLongestName) {
  BitmapImage image;
  image.put<std::uint8_t>(image.directory + 17, 31);
  image.set_name_bytes(1023);
  EXPECT_EQ(found_in(image), Messages{});
}

TEST(Bitmaps, AcceptsABitmapInUseOfAnotherSize) {
  BitmapImage image;
  image.put<std::uint32_t>(image.directory + 8, 2);
  image.put<std::uint32_t>(image.directory + 12, 1);
  EXPECT_EQ(found_in(image), Messages{});
}

}  // namespace
}  // namespace e2qcow::qcow2
