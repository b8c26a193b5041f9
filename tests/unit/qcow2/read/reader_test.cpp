// SPDX-License-Identifier: GPL-2.0-or-later
// Run by ./dev tsan.
#include "qcow2/read/reader.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include "qcow2/format/record_extension.h"
#include "qcow2/read/chain.h"
#include "tests/support/errors.h"
#include "tests/support/hand_made_image.h"
#include "tests/support/memory_file.h"

namespace e2qcow::qcow2 {
namespace {

Bytes disk_in(const Bytes& image) {
  const MemoryFile file(image);
  Reader reader(file);
  Bytes disk = filled(reader.size(), 0xee);
  reader.read(0, disk);
  return disk;
}

std::vector<Extent> extents_in(const Bytes& image) {
  const MemoryFile file(image);
  Reader reader(file);
  Chain disk({&reader}, nullptr);
  std::vector<Extent> extents;
  for (auto next = disk.next_extent(0); next; next = disk.next_extent(extents.back().end()))
    extents.push_back(*next);
  return extents;
}

// What comes of reading everything there is to read.
std::error_code code_of_reading(const Bytes& image) {
  return code_of([&] {
    const MemoryFile file(image);
    Reader reader(file);
    reader.check_tables();
    disk_in(image);
  });
}

// Data in clusters 1, 2 and 10, of which the first two are adjacent in the file.
HandMadeImage image_with_data() {
  HandMadeImage image;
  image.add_data(1, 0x11);
  image.add_data(2, 0x22);
  image.add_data(10, 0x33);
  return image;
}

Bytes disk_with_data() {
  Bytes disk(HandMadeImage::kDiskSize);
  std::fill_n(disk.begin() + 1 * kCluster, kCluster, std::byte{0x11});
  std::fill_n(disk.begin() + 2 * kCluster, kCluster, std::byte{0x22});
  std::fill_n(disk.begin() + 10 * kCluster, kCluster, std::byte{0x33});
  return disk;
}

TEST(Reader, ReadsDataWhereTheTablesPutItAndZerosElsewhere) {
  EXPECT_EQ(disk_in(image_with_data().bytes), disk_with_data());
}

TEST(Reader, ReadsFromAnyOffset) {
  const MemoryFile file(image_with_data().bytes);
  Reader reader(file);
  Bytes out(2 * kCluster);
  for (const std::uint64_t offset : std::vector<std::uint64_t>{0, 100, 511, 600, 1300, 9 * kCluster + 1,
                                                               HandMadeImage::kDiskSize - 1024}) {
    reader.read(offset, out);
    EXPECT_EQ(out, part_of(disk_with_data(), offset, out.size())) << offset;
  }
}

TEST(Reader, HandsOutItsDataInTheLongestRuns) {
  EXPECT_EQ(extents_in(image_with_data().bytes),
            (std::vector<Extent>{{1 * kCluster, 2 * kCluster}, {10 * kCluster, kCluster}}));
}

TEST(Reader, CutsAnExtentThatBeganBefore) {
  const MemoryFile file(image_with_data().bytes);
  Reader reader(file);
  Chain disk({&reader}, nullptr);
  EXPECT_EQ(disk.next_extent(700), (Extent{700, 3 * kCluster - 700}));
  EXPECT_EQ(disk.next_extent(HandMadeImage::kDiskSize), std::nullopt);
}

TEST(Reader, MapsEachWayOfStoring) {
  HandMadeImage image = image_with_data();
  image.set_l2_entry(20, 1);                   // zeros
  image.set_l2_entry(21, kCopied | 2560 | 1);  // zeros, with a cluster that must not show
  const MemoryFile file(image.bytes);
  const Reader reader(file);
  EXPECT_EQ(reader.map(0).kind, Mapping::Kind::unallocated);
  EXPECT_EQ(reader.map(0).guest, (Extent{0, kCluster}));
  EXPECT_EQ(reader.map(kCluster).kind, Mapping::Kind::data);
  EXPECT_EQ(reader.map(kCluster).host_offset, HandMadeImage::kData);
  EXPECT_EQ(reader.map(kCluster + 700).guest, (Extent{kCluster + 700, 2 * kCluster - 700}));
  EXPECT_EQ(reader.map(kCluster + 700).host_offset, HandMadeImage::kData + 700);
  EXPECT_EQ(reader.map(20 * kCluster).kind, Mapping::Kind::zeros);
  EXPECT_EQ(reader.map(20 * kCluster).guest, (Extent{20 * kCluster, kCluster}));
  EXPECT_EQ(reader.map(20 * kCluster).host_offset, std::nullopt);
  EXPECT_EQ(reader.map(21 * kCluster + 7).kind, Mapping::Kind::zeros);
  EXPECT_EQ(reader.map(21 * kCluster + 7).host_offset, 2560 + 7);
  EXPECT_EQ(reader.map(40 * 1024).kind, Mapping::Kind::unallocated);
  EXPECT_EQ(reader.map(40 * 1024).guest, (Extent{40 * 1024, 24 * 1024}));
}

TEST(Reader, DoesNotJoinDataThatLiesApartInTheFile) {
  HandMadeImage image;
  image.add_data(2, 0x22);
  image.add_data(1, 0x11);
  EXPECT_EQ(extents_in(image.bytes), (std::vector<Extent>{{kCluster, kCluster}, {2 * kCluster, kCluster}}));
  const Bytes disk = disk_in(image.bytes);
  EXPECT_EQ(disk[kCluster], std::byte{0x11});
  EXPECT_EQ(disk[2 * kCluster], std::byte{0x22});
}

TEST(Reader, ShowsNothingOfAClusterThatReadsAsZeros) {
  HandMadeImage image = image_with_data();
  image.set_l2_entry(1, kCopied | HandMadeImage::kData | 1);
  EXPECT_EQ(part_of(disk_in(image.bytes), kCluster, kCluster), Bytes(kCluster));
}

TEST(Reader, ReadsAnImageOfVersion2) {
  HandMadeImage image(2);
  image.add_data(3, 0x33);
  EXPECT_EQ(extents_in(image.bytes), (std::vector<Extent>{{3 * kCluster, kCluster}}));
  EXPECT_EQ(part_of(disk_in(image.bytes), 3 * kCluster, kCluster), filled(kCluster, 0x33));
}

TEST(Reader, IgnoresL1EntriesPastTheDisk) {
  HandMadeImage image = image_with_data();
  set_field(image.bytes, field::kL1Size, 3);
  image.set_l1_entry(2, HandMadeImage::kL2 | kCopied);  // the state of a virtual machine
  EXPECT_EQ(disk_in(image.bytes), disk_with_data());
}

TEST(Reader, IgnoresL2EntriesPastTheDisk) {
  HandMadeImage image = image_with_data();
  set_field(image.bytes, field::kDiskSize, 11 * kCluster);
  image.set_l2_entry(11, 0xee);
  EXPECT_EQ(disk_in(image.bytes), part_of(disk_with_data(), 0, 11 * kCluster));
}

TEST(Reader, ReadsADiskThatEndsInsideACluster) {
  HandMadeImage image = image_with_data();
  set_field(image.bytes, field::kDiskSize, 10 * kCluster + 100);
  image.bytes.resize(image.bytes.size() - kCluster + 100);
  EXPECT_EQ(disk_in(image.bytes), part_of(disk_with_data(), 0, 10 * kCluster + 100));
  EXPECT_EQ(extents_in(image.bytes).back(), (Extent{10 * kCluster, 100}));
}

TEST(Reader, CountsTheBytesOfData) {
  const MemoryFile file(image_with_data().bytes);
  EXPECT_EQ(Reader(file).check_tables().data_bytes(), 3 * kCluster);
}

TEST(Reader, SaysTheNameOfABackingFileAndOpensNothing) {
  HandMadeImage image;
  set_field(image.bytes, field::kBackingOffset, 400);
  set_field(image.bytes, field::kBackingSize, 11);
  std::ranges::copy(text_bytes("/etc/shadow"), image.bytes.begin() + 400);
  const MemoryFile file(image.bytes);
  EXPECT_EQ(Reader(file).backing_file_name(), "/etc/shadow");
  const MemoryFile without(HandMadeImage().bytes);
  EXPECT_EQ(Reader(without).backing_file_name(), std::nullopt);
}

TEST(Reader, BringsExtensionsAndTheRecordOfADump) {
  HandMadeImage image;
  DumpRecord record;
  record.block_size = 2048;
  const Bytes data = encode_record(record).data;
  set_be(image.bytes, 112, 0x65327163, 4);
  set_be(image.bytes, 116, data.size(), 4);
  std::ranges::copy(data, image.bytes.begin() + 120);
  const MemoryFile file(image.bytes);
  const Reader reader(file);
  EXPECT_EQ(reader.extensions().size(), 1);
  EXPECT_EQ(reader.record(), record);
}

struct BadEntry {
  const char* name;
  std::uint64_t value;
  Errc code;
};
std::ostream& operator<<(std::ostream& out, const BadEntry& entry) {
  return out << entry.name;
}
std::string name_of_entry(const testing::TestParamInfo<BadEntry>& info) {
  return info.param.name;
}

class BadL1Entry : public testing::TestWithParam<BadEntry> {};

TEST_P(BadL1Entry, IsRefused) {
  HandMadeImage image = image_with_data();
  image.set_l1_entry(0, GetParam().value);
  EXPECT_EQ(code_of_reading(image.bytes), GetParam().code);
}

INSTANTIATE_TEST_SUITE_P(Rows, BadL1Entry,
                         testing::Values(BadEntry{"ReservedBit0", 2048 | 1, Errc::corrupt},
                                         BadEntry{"ReservedBit8", 2048 | 256, Errc::corrupt},
                                         BadEntry{"ReservedBit56", 2048 | 1ULL << 56, Errc::corrupt},
                                         BadEntry{"ReservedBit62", 2048 | 1ULL << 62, Errc::corrupt},
                                         BadEntry{"ReservedBitAlone", 1, Errc::corrupt},
                                         BadEntry{"AtTheEnd", 8 * 512, Errc::truncated},
                                         BadEntry{"BehindTheEnd", 100 * 512, Errc::truncated},
                                         BadEntry{"Last", 0x00ff'ffff'ffff'fe00, Errc::truncated}),
                         name_of_entry);

class BadL2Entry : public testing::TestWithParam<BadEntry> {};

TEST_P(BadL2Entry, IsRefused) {
  HandMadeImage image = image_with_data();
  image.set_l2_entry(5, GetParam().value);
  EXPECT_EQ(code_of_reading(image.bytes), GetParam().code);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BadL2Entry,
    testing::Values(BadEntry{"ReservedBit1", 2560 | 2, Errc::corrupt},
                    BadEntry{"ReservedBit8", 2560 | 256, Errc::corrupt},
                    BadEntry{"ReservedBit56", 2560 | 1ULL << 56, Errc::corrupt},
                    BadEntry{"ReservedBit61", 2560 | 1ULL << 61, Errc::corrupt},
                    BadEntry{"ReservedBitAlone", 4, Errc::corrupt},
                    BadEntry{"CopiedWithoutOffset", HandMadeImage::kCopied, Errc::corrupt},
                    BadEntry{"CompressedAndCopied", 3ULL << 62 | 2560, Errc::corrupt},
                    BadEntry{"CompressedAtTheEnd", 1ULL << 62 | 8 * 512, Errc::truncated},
                    BadEntry{"CompressedFarAway", 1ULL << 62 | 1ULL << 55, Errc::truncated},
                    BadEntry{"AtTheEnd", 8 * 512, Errc::truncated},
                    BadEntry{"Last", 0x00ff'ffff'ffff'fe00, Errc::truncated}),
    name_of_entry);

TEST(Reader, RefusesAZeroClusterInVersion2) {
  HandMadeImage image(2);
  image.set_l2_entry(5, 1);
  EXPECT_EQ(code_of_reading(image.bytes), Errc::corrupt);
}

// With clusters of 4 KiB an offset can be a multiple of 512 and still point into the middle of one.
TEST(Reader, RefusesTablesAndDataThatAreNotAligned) {
  for (const bool of_l1 : {true, false}) {
    Bytes image(8 * 4096);
    std::ranges::copy(part_of(HandMadeImage().bytes, 0, 112), image.begin());
    set_field(image, field::kClusterBits, 12);
    set_field(image, field::kL1Size, 1);
    set_field(image, field::kL1Offset, 4096);
    set_field(image, field::kRefcountTableOffset, 2 * 4096);
    set_be(image, 4096, 3 * 4096 + (of_l1 ? 512 : 0), 8);
    set_be(image, 3 * 4096, 4 * 4096 + (of_l1 ? 0 : 512), 8);
    EXPECT_EQ(code_of_reading(image), Errc::corrupt) << of_l1;
  }
}

TEST(Reader, NamesFileAndOffsetOfWhatIsWrong) {
  HandMadeImage image;
  image.set_l2_entry(5, 100 * 512);
  const MemoryFile file(image.bytes);
  Reader reader(file);
  EXPECT_EQ(ending_of([&] { reader.check_tables(); }).text,
            "memory.img: guest offset 2560: the data at 51200 runs past the end of the file");
}

TEST(Reader, NeverTakesATruncatedImageForAWholeOne) {
  const Bytes whole = image_with_data().bytes;
  for (std::uint64_t length = 0; length < whole.size(); length += 256) {
    const auto code = code_of_reading(part_of(whole, 0, length));
    EXPECT_EQ(code, length == 0 ? Errc::not_qcow2 : Errc::truncated) << length;
  }
}

}  // namespace
}  // namespace e2qcow::qcow2
