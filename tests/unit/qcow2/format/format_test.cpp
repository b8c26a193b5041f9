// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/format/format.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "tests/support/errors.h"
#include "tests/support/hand_made_image.h"
#include "tests/support/random.h"

namespace e2qcow::qcow2 {
namespace {

constexpr std::uint64_t kHeaderFileSize = 1 << 20;
constexpr std::uint64_t kAll = ~0ULL;

// Of an image with clusters of 64 KiB: an L2 table maps 512 MiB, so the disk of 1 GiB has two L1 entries.
Bytes good_header(std::uint32_t version = 3) {
  Bytes bytes;
  put_be(bytes, 0x514649fb, 4);  // magic
  put_be(bytes, version, 4);
  put_be(bytes, 0, 8);           // backing file offset
  put_be(bytes, 0, 4);           // backing file size
  put_be(bytes, 16, 4);          // cluster bits
  put_be(bytes, 1ULL << 30, 8);  // size
  put_be(bytes, 0, 4);           // crypt method
  put_be(bytes, 2, 4);           // L1 size
  put_be(bytes, 0x30000, 8);     // L1 table offset
  put_be(bytes, 0x10000, 8);     // refcount table offset
  put_be(bytes, 1, 4);           // refcount table clusters
  put_be(bytes, 0, 4);           // snapshots
  put_be(bytes, 0, 8);           // snapshots offset
  if (version == 2) return bytes;
  put_be(bytes, 0, 8);    // incompatible features
  put_be(bytes, 0, 8);    // compatible features
  put_be(bytes, 0, 8);    // autoclear features
  put_be(bytes, 4, 4);    // refcount order
  put_be(bytes, 112, 4);  // header length
  put_be(bytes, 0, 8);    // compression type, padding
  return bytes;
}

Header decode(const Bytes& bytes) {
  const Header header = decode_header(bytes, kHeaderFileSize, "disk.qcow2");
  check_other_tables(header, kHeaderFileSize, "disk.qcow2");
  return header;
}

struct Row {
  const char* name;
  std::vector<std::pair<HeaderField, std::uint64_t>> values;
};
std::ostream& operator<<(std::ostream& out, const Row& row) {
  return out << row.name;
}
std::string name_of_row(const testing::TestParamInfo<Row>& info) {
  return info.param.name;
}

Bytes header_with(const Row& row) {
  Bytes bytes = good_header();
  for (const auto& [field, value] : row.values) set_field(bytes, field, value);
  return bytes;
}

class GoodHeader : public testing::TestWithParam<Row> {};

TEST_P(GoodHeader, IsAccepted) {
  EXPECT_EQ(code_of([] { decode(header_with(GetParam())); }), std::error_code());
}

INSTANTIATE_TEST_SUITE_P(
    Rows, GoodHeader,
    testing::Values(Row{"AsItIs", {}},                                                //
                    Row{"BackingSizeWithoutOffset", {{field::kBackingSize, 5000}}},   //
                    Row{"BackingOffsetWithoutSize", {{field::kBackingOffset, 112}}},  //
                    Row{"BackingNameToTheEnd",
                        {{field::kBackingOffset, 65536 - 1023}, {field::kBackingSize, 1023}}},
                    Row{"EmptyDisk", {{field::kDiskSize, 0}}},                                           //
                    Row{"LargerL1", {{field::kL1Size, 3}}},                                              //
                    Row{"L1ToTheEnd", {{field::kL1Offset, 0xf0000}, {field::kL1Size, 8192}}},            //
                    Row{"RefcountTableToTheEnd", {{field::kRefcountTableClusters, 15}}},                 //
                    Row{"UnalignedDisk", {{field::kDiskSize, 1300}}},                                    //
                    Row{"Snapshots", {{field::kSnapshotCount, 2}, {field::kSnapshotsOffset, 0x40000}}},  //
                    Row{"Dirty", {{field::kIncompatible, 1}}},                                           //
                    Row{"Corrupt", {{field::kIncompatible, 2}}},                                         //
                    Row{"Zstd", {{field::kIncompatible, 8}, {field::kCompressionType, 1}}},              //
                    Row{"UnknownCompatible", {{field::kCompatible, kAll}}},                              //
                    Row{"UnknownAutoclear", {{field::kAutoclear, 1ULL << 63}}},                          //
                    Row{"ExtendedL2", {{field::kIncompatible, 16}, {field::kL1Size, 4}}},                //
                    Row{"RefcountsOf1Bit", {{field::kRefcountOrder, 0}}},                                //
                    Row{"RefcountsOf64Bits", {{field::kRefcountOrder, 6}}},                              //
                    Row{"ShortestLength", {{field::kHeaderLength, 104}}},                                //
                    Row{"UnevenLength", {{field::kHeaderLength, 107}}},                                  //
                    Row{"LongestLength", {{field::kHeaderLength, 65536}}},                               //
                    Row{"Padding", {{HeaderField{105, 4}, kAll}}}),
    name_of_row);

class BadHeader : public testing::TestWithParam<std::pair<Errc, Row>> {};

TEST_P(BadHeader, IsRefused) {
  EXPECT_EQ(code_of([] { decode(header_with(GetParam().second)); }), GetParam().first);
}

std::string name_of_pair(const testing::TestParamInfo<std::pair<Errc, Row>>& info) {
  return info.param.second.name;
}

template <typename... Rows>
auto all(Errc code, const Rows&... rows) {
  return testing::Values(std::pair(code, rows)...);
}

INSTANTIATE_TEST_SUITE_P(NotQcow2, BadHeader,
                         all(Errc::not_qcow2, Row{"NoMagic", {{field::kMagic, 0}}},  //
                             Row{"OtherMagic", {{field::kMagic, 0x514649fc}}}),
                         name_of_pair);

INSTANTIATE_TEST_SUITE_P(
    Unsupported, BadHeader,
    all(Errc::unsupported, Row{"Version0", {{field::kVersion, 0}}}, Row{"Version1", {{field::kVersion, 1}}},
        Row{"Version4", {{field::kVersion, 4}}}, Row{"VersionMax", {{field::kVersion, kAll}}},  //
        Row{"Aes", {{field::kCryptMethod, 1}}}, Row{"Luks", {{field::kCryptMethod, 2}}},
        Row{"OtherCrypt", {{field::kCryptMethod, 3}}},             //
        Row{"FirstUnknownFeature", {{field::kIncompatible, 32}}},  //
        Row{"LastUnknownFeature", {{field::kIncompatible, 1ULL << 63}}},
        Row{"OtherCompression", {{field::kIncompatible, 8}, {field::kCompressionType, 2}}}),
    name_of_pair);

INSTANTIATE_TEST_SUITE_P(
    Corrupt, BadHeader,
    all(Errc::corrupt, Row{"SmallClusters", {{field::kClusterBits, 8}}},
        Row{"LargeClusters", {{field::kClusterBits, 22}}}, Row{"NoClusters", {{field::kClusterBits, 0}}},
        Row{"ClustersOfMoreThan64Bits", {{field::kClusterBits, 64}}},
        Row{"ClusterBitsMax", {{field::kClusterBits, kAll}}},
        Row{"DiskOf2To63", {{field::kDiskSize, 1ULL << 63}}}, Row{"DiskMax", {{field::kDiskSize, kAll}}},
        Row{"DiskLargerThanL1", {{field::kDiskSize, (1ULL << 30) + 1}}},  //
        Row{"SmallL1", {{field::kL1Size, 1}}}, Row{"NoL1", {{field::kL1Size, 0}}},
        Row{"L1LargerThan32MiB", {{field::kL1Size, (4 << 20) + 1}}}, Row{"L1Max", {{field::kL1Size, kAll}}},
        Row{"UnalignedL1", {{field::kL1Offset, 0x30200}}}, Row{"L1OnHeader", {{field::kL1Offset, 0}}},
        Row{"UnalignedRefcountTable", {{field::kRefcountTableOffset, 0x10008}}},
        Row{"RefcountTableOnHeader", {{field::kRefcountTableOffset, 0}}},
        Row{"NoRefcountTable", {{field::kRefcountTableClusters, 0}}},
        Row{"RefcountTableLargerThan8MiB", {{field::kRefcountTableClusters, 129}}},
        Row{"RefcountTableMax", {{field::kRefcountTableClusters, kAll}}},
        Row{"TooManySnapshots", {{field::kSnapshotCount, 65537}, {field::kSnapshotsOffset, 0x40000}}},
        Row{"UnalignedSnapshots", {{field::kSnapshotCount, 1}, {field::kSnapshotsOffset, 0x40200}}},
        Row{"UnalignedPlaceOfNoSnapshots", {{field::kSnapshotsOffset, 0x200}}},
        Row{"SnapshotsOnHeader", {{field::kSnapshotCount, 1}}},
        Row{"RefcountsOf128Bits", {{field::kRefcountOrder, 7}}},
        Row{"RefcountOrderMax", {{field::kRefcountOrder, kAll}}},
        Row{"NoLength", {{field::kHeaderLength, 0}}}, Row{"LengthOfVersion2", {{field::kHeaderLength, 72}}},
        Row{"ShortLength", {{field::kHeaderLength, 103}}}, Row{"LongLength", {{field::kHeaderLength, 65537}}},
        Row{"LengthMax", {{field::kHeaderLength, kAll}}},
        Row{"CompressionWithoutFeature", {{field::kCompressionType, 1}}},
        Row{"FeatureWithoutCompression", {{field::kIncompatible, 8}}},
        Row{"BackingNameInHeader", {{field::kBackingOffset, 111}, {field::kBackingSize, 10}}},
        Row{"BackingNameTooLong", {{field::kBackingOffset, 112}, {field::kBackingSize, 1024}}},
        Row{"BackingNameBehindCluster", {{field::kBackingOffset, 65537}, {field::kBackingSize, 1}}},
        Row{"BackingNameAcrossCluster", {{field::kBackingOffset, 65536 - 9}, {field::kBackingSize, 10}}},
        Row{"BackingOffsetMax", {{field::kBackingOffset, kAll}, {field::kBackingSize, 10}}}),
    name_of_pair);

INSTANTIATE_TEST_SUITE_P(
    Truncated, BadHeader,
    all(Errc::truncated, Row{"L1AtTheEnd", {{field::kL1Offset, kHeaderFileSize}}},
        Row{"L1BehindTheEnd", {{field::kL1Offset, 2 * kHeaderFileSize}}},
        Row{"L1AcrossTheEnd", {{field::kL1Offset, 0xf0000}, {field::kL1Size, 8193}}},
        Row{"L1OffsetMax", {{field::kL1Offset, ~0xffffULL}}},
        Row{"RefcountTableAtTheEnd", {{field::kRefcountTableOffset, kHeaderFileSize}}},
        Row{"RefcountTableAcrossTheEnd", {{field::kRefcountTableClusters, 16}}},
        Row{"RefcountTableOffsetMax", {{field::kRefcountTableOffset, ~0xffffULL}}},
        Row{"SnapshotsAtTheEnd", {{field::kSnapshotCount, 1}, {field::kSnapshotsOffset, kHeaderFileSize}}},
        Row{"SnapshotsOffsetMax", {{field::kSnapshotCount, 1}, {field::kSnapshotsOffset, ~0xffffULL}}}),
    name_of_pair);

TEST(DecodeHeader, BringsEveryField) {
  const Header header = decode(header_with({"",
                                            {{field::kIncompatible, 1 | 8},
                                             {field::kCompatible, 2},
                                             {field::kAutoclear, 4},
                                             {field::kBackingOffset, 0x200},
                                             {field::kBackingSize, 9},
                                             {field::kSnapshotCount, 3},
                                             {field::kSnapshotsOffset, 0x40000},
                                             {field::kRefcountOrder, 5},
                                             {field::kHeaderLength, 120},
                                             {field::kCompressionType, 1}}}));
  EXPECT_EQ(header.version, 3);
  EXPECT_EQ(header.backing_file_offset, 0x200);
  EXPECT_EQ(header.backing_file_size, 9);
  EXPECT_EQ(header.cluster_bits, 16);
  EXPECT_EQ(header.size, 1 << 30);
  EXPECT_EQ(header.l1_size, 2);
  EXPECT_EQ(header.l1_table_offset, 0x30000);
  EXPECT_EQ(header.refcount_table_offset, 0x10000);
  EXPECT_EQ(header.refcount_table_clusters, 1);
  EXPECT_EQ(header.snapshot_count, 3);
  EXPECT_EQ(header.snapshots_offset, 0x40000);
  EXPECT_EQ(header.incompatible_features, 9);
  EXPECT_EQ(header.compatible_features, 2);
  EXPECT_EQ(header.autoclear_features, 4);
  EXPECT_EQ(header.refcount_order, 5);
  EXPECT_EQ(header.header_length, 120);
  EXPECT_EQ(header.compression_type, CompressionType::zstd);
}

TEST(DecodeHeader, IgnoresBytesAfterAVersion2Header) {
  Bytes bytes = good_header(2);
  bytes.resize(112, std::byte{0xff});
  const Header header = decode(bytes);
  EXPECT_EQ(header.header_length, 72);
  EXPECT_EQ(header.refcount_order, 4);
  EXPECT_EQ(header.incompatible_features, 0);
  EXPECT_EQ(header.compression_type, CompressionType::zlib);
}

TEST(DecodeHeader, IgnoresBytesAfterAShortVersion3Header) {
  const Row row{"", {{field::kHeaderLength, 104}, {field::kCompressionType, 1}}};
  EXPECT_EQ(decode(header_with(row)).compression_type, CompressionType::zlib);
}

TEST(DecodeHeader, NamesTheFileAndWhatIsWrong) {
  EXPECT_EQ(ending_of([] {
              decode(header_with({"", {{field::kClusterBits, 22}}}));
            }).text,
            "disk.qcow2: damaged qcow2 header: clusters of 2^22 bytes");
  EXPECT_EQ(ending_of([] { decode(Bytes(112)); }).text, "disk.qcow2: not a qcow2 image");
}

TEST(DecodeHeader, FailsOnAFileThatEndsAnywhereInTheHeader) {
  for (const std::uint32_t version : {2U, 3U})
    for (std::size_t length = 0; length <= 112; ++length) {
      Bytes bytes = good_header(version);
      bytes.resize(112);
      bytes.resize(length);
      bytes.shrink_to_fit();  // so that a sanitizer notices reads past its end
      const auto code = code_of([&] { decode_header(bytes, length, "cut.qcow2"); });
      EXPECT_EQ(code, length < 8 ? Errc::not_qcow2 : Errc::truncated) << version << ", " << length;
    }
}

TEST(EncodeHeader, WritesTheBytesOfTheSpecification) {
  for (const std::uint32_t version : {2U, 3U}) {
    const Header header = decode(good_header(version));
    Bytes expected = good_header(version);
    expected.resize(65536);
    EXPECT_TRUE(encode_header(header, {}) == expected) << version;
  }
}

TEST(EncodeHeader, IsUndoneByDecoding) {
  Random random;
  for (int i = 0; i < 1000; ++i) {
    Bytes bytes = good_header();
    set_field(bytes, field::kDiskSize, random.below(1 << 30));
    set_field(bytes, field::kL1Size, random.between(2, 8192));
    set_field(bytes, field::kL1Offset, random.between(1, 15) << 16);
    set_field(bytes, field::kRefcountTableOffset, random.between(1, 10) << 16);
    set_field(bytes, field::kRefcountTableClusters, random.between(1, 6));
    set_field(bytes, field::kSnapshotCount, random.below(2));
    set_field(bytes, field::kSnapshotsOffset, random.between(1, 15) << 16);
    set_field(bytes, field::kIncompatible, random.below(4));
    set_field(bytes, field::kCompatible, random.below(1000));
    set_field(bytes, field::kAutoclear, random.below(1000) & ~2ULL);
    set_field(bytes, field::kRefcountOrder, random.below(7));
    ASSERT_EQ(part_of(encode_header(decode(bytes), {}), 0, 112), bytes);
  }
}

}  // namespace
}  // namespace e2qcow::qcow2
