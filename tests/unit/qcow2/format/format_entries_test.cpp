// SPDX-License-Identifier: GPL-2.0-or-later
// Entries of tables, and header extensions; the header itself is in format_test.cpp.
#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include "qcow2/format/format.h"
#include "tests/support/bytes.h"
#include "tests/support/errors.h"

namespace e2qcow::qcow2 {
namespace {

// qcow2 spec, "L1 table entry" and "Standard Cluster Descriptor"
constexpr std::uint64_t kOffsetBits = 0x00ff'ffff'ffff'fe00;

TEST(L1Entry, HasAnOffsetAndAFlag) {
  EXPECT_EQ(L1Entry::to_table(0x12345600).raw(), 0x8000'0000'1234'5600);
  EXPECT_EQ(L1Entry(~0ULL).host_offset(), kOffsetBits);
  EXPECT_TRUE(L1Entry(1ULL << 63).copied());
  EXPECT_FALSE(L1Entry(~(1ULL << 63)).copied());
}

TEST(L1Entry, KnowsItsReservedBits) {
  for (int bit = 0; bit < 64; ++bit)
    EXPECT_EQ(L1Entry(1ULL << bit).has_reserved_bits(), bit <= 8 || (bit >= 56 && bit <= 62)) << bit;
}

TEST(L2Entry, HasAnOffsetAndFlags) {
  EXPECT_EQ(L2Entry::to_cluster(0x12345600).raw(), 0x8000'0000'1234'5600);
  EXPECT_EQ(L2Entry(~0ULL).host_offset(), kOffsetBits);
  for (int bit = 0; bit < 64; ++bit) {
    EXPECT_EQ(L2Entry(1ULL << bit).copied(), bit == 63) << bit;
    EXPECT_EQ(L2Entry(1ULL << bit).compressed(), bit == 62) << bit;
    EXPECT_EQ(L2Entry(1ULL << bit).reads_as_zeros(), bit == 0) << bit;
  }
}

TEST(L2Entry, KnowsItsReservedBits) {
  for (int bit = 0; bit < 64; ++bit)
    EXPECT_EQ(L2Entry(1ULL << bit).has_reserved_bits({}), (bit >= 1 && bit <= 8) || (bit >= 56 && bit <= 61))
        << bit;
}

TEST(L2Entry, HasNoReservedBitsIfItIsCompressed) {
  EXPECT_FALSE(L2Entry(~0ULL).has_reserved_bits({}));
}

// qcow2 spec, "Compressed Clusters Descriptor": bits 0 to x-1 are the offset with x = 62 - (cluster_bits -
// 8), then follow the additional sectors up to bit 61.
struct Compressed {
  std::uint32_t cluster_bits;
  std::uint32_t offset_bits;  // x
  std::uint64_t max_length;   // with all sector bits set
};

std::ostream& operator<<(std::ostream& out, const Compressed& row) {
  return out << row.cluster_bits << "Bits";
}

class CompressedEntry : public testing::TestWithParam<Compressed> {
 protected:
  Geometry geometry() const { return {GetParam().cluster_bits}; }
};

INSTANTIATE_TEST_SUITE_P(ClusterBits, CompressedEntry,
                         testing::Values(Compressed{9, 61, 1024}, Compressed{12, 58, 8192},
                                         Compressed{16, 54, 128 << 10}, Compressed{21, 49, 4 << 20}));

TEST_P(CompressedEntry, DividesItsBitsAsTheSpecificationSays) {
  const std::uint64_t offset_mask = (1ULL << GetParam().offset_bits) - 1;
  const L2Entry entry((1ULL << 62) | ((1ULL << 62) - 1));
  EXPECT_EQ(entry.compressed_offset(geometry()), offset_mask);
  const L2Entry aligned(((1ULL << 62) | ((1ULL << 62) - 1)) & ~511ULL);
  EXPECT_EQ(aligned.compressed_length(geometry()), GetParam().max_length);
}

TEST_P(CompressedEntry, CountsTheSectorsThatFollowTheFirst) {
  const std::uint64_t one_sector = 1ULL << GetParam().offset_bits;
  // 1000 is 24 bytes before the end of a sector.
  EXPECT_EQ(L2Entry::to_compressed(1000, 24, geometry()).raw(), (1ULL << 62) | 1000);
  EXPECT_EQ(L2Entry::to_compressed(1000, 25, geometry()).raw(), (1ULL << 62) | one_sector | 1000);
  EXPECT_EQ(L2Entry::to_compressed(1024, 512, geometry()).raw(), (1ULL << 62) | 1024);
  EXPECT_EQ(L2Entry::to_compressed(1024, 513, geometry()).raw(), (1ULL << 62) | one_sector | 1024);
}

TEST_P(CompressedEntry, ReachesToTheEndOfTheLastSector) {
  const L2Entry entry = L2Entry::to_compressed(1000, 25, geometry());
  EXPECT_TRUE(entry.compressed());
  EXPECT_FALSE(entry.copied());
  EXPECT_EQ(entry.compressed_offset(geometry()), 1000);
  EXPECT_EQ(entry.compressed_length(geometry()), 24 + 512);
}

TEST_P(CompressedEntry, HoldsAWholeClusterFromAnyByteOn) {
  const std::uint64_t length = geometry().cluster_size() - 1;
  for (const std::uint64_t host_offset : {512ULL, 513ULL, 1023ULL, (1ULL << 40) + 511}) {
    const L2Entry entry = L2Entry::to_compressed(host_offset, length, geometry());
    EXPECT_EQ(entry.compressed_offset(geometry()), host_offset);
    EXPECT_GE(entry.compressed_length(geometry()), length);
    EXPECT_LT(entry.compressed_length(geometry()), length + 512);
  }
}

Header header_of_extensions() {
  Header header;
  header.cluster_bits = 9;
  header.header_length = 112;
  return header;
}

// A first cluster of 512 bytes; the extensions begin at 112.
Bytes cluster_with(const Bytes& extensions) {
  Bytes bytes = filled(112, 0xee);
  bytes.insert(bytes.end(), extensions.begin(), extensions.end());
  bytes.resize(512);
  return bytes;
}

void put_extension(Bytes& bytes, std::uint32_t type, const Bytes& data) {
  put_be(bytes, type, 4);
  put_be(bytes, data.size(), 4);
  bytes.insert(bytes.end(), data.begin(), data.end());
  bytes.resize((bytes.size() + 7) / 8 * 8);
}

std::vector<Extension> extensions_in(const Bytes& cluster) {
  auto [extensions, fault] = decode_extensions(header_of_extensions(), cluster);
  EXPECT_EQ(fault, "");
  return extensions;
}

TEST(DecodeExtensions, FindsNoneAfterTheEndMark) {
  Bytes bytes;
  put_extension(bytes, 0, {});
  put_extension(bytes, 0x6803f857, filled(3, 7));
  EXPECT_EQ(extensions_in(cluster_with(bytes)).size(), 0);
}

TEST(DecodeExtensions, FindsEachOfThemWithoutItsPadding) {
  Bytes bytes;
  put_extension(bytes, 0xe2792aca, text_bytes("raw"));
  put_extension(bytes, 0x12345678, {});
  put_extension(bytes, 0x44415441, text_bytes("data.raw"));
  const auto extensions = extensions_in(cluster_with(bytes));
  ASSERT_EQ(extensions.size(), 3);
  EXPECT_EQ(extensions[0].type, kBackingFormat);
  EXPECT_EQ(extensions[0].data, text_bytes("raw"));
  EXPECT_EQ(extensions[1].type, 0x12345678U);
  EXPECT_EQ(extensions[1].data, Bytes{});
  EXPECT_EQ(extensions[2].type, kDataFileName);
  EXPECT_EQ(extensions[2].data, text_bytes("data.raw"));
}

TEST(DecodeExtensions, EndWithTheClusterWithoutAnEndMark) {
  Bytes bytes;
  put_extension(bytes, 1, filled(512 - 112 - 8, 7));
  ASSERT_EQ(extensions_in(cluster_with(bytes)).size(), 1);
  EXPECT_EQ(extensions_in(cluster_with(bytes))[0].data, filled(392, 7));
}

TEST(DecodeExtensions, EndAtTheBackingFileName) {
  Header header = header_of_extensions();
  header.backing_file_offset = 112 + 16;
  Bytes bytes;
  put_extension(bytes, 1, filled(8, 7));
  put_extension(bytes, 2, filled(8, 7));
  EXPECT_EQ(decode_extensions(header, cluster_with(bytes)).extensions.size(), 1);
}

TEST(DecodeExtensions, BeginAfterTheHeaderOfEachVersion) {
  Header header = header_of_extensions();
  header.version = 2;
  header.header_length = 72;
  Bytes cluster(72);
  put_extension(cluster, 1, filled(8, 7));
  cluster.resize(512);
  EXPECT_EQ(decode_extensions(header, cluster).extensions.size(), 1);
}

TEST(DecodeExtensions, StopAtOneThatRunsPastTheEnd) {
  for (const std::uint64_t length : {393ULL, 0x7fffffffULL, 0xfffffff8ULL, 0xffffffffULL}) {
    Bytes bytes;
    put_be(bytes, 1, 4);
    put_be(bytes, length, 4);
    const ExtensionList list = decode_extensions(header_of_extensions(), cluster_with(bytes));
    EXPECT_NE(list.fault.find("runs past its end"), std::string::npos) << length;
    EXPECT_TRUE(list.extensions.empty());
  }
}

TEST(DecodeExtensions, StopAtMoreThanAnybodyNeeds) {
  Header header = header_of_extensions();
  header.cluster_bits = 16;
  Bytes bytes(112);
  for (int i = 0; i < 64; ++i) put_extension(bytes, 1, {});
  EXPECT_EQ(decode_extensions(header, bytes).extensions.size(), 64);
  put_extension(bytes, 1, {});
  const ExtensionList list = decode_extensions(header, bytes);
  EXPECT_EQ(list.extensions.size(), 64);
  EXPECT_EQ(list.fault, "too many extensions");
}

TEST(DecodeExtensions, ReadsNothingPastTheEndOfATruncatedFile) {
  Bytes whole;
  put_extension(whole, 1, filled(20, 7));
  whole = cluster_with(whole);
  for (std::size_t length = 0; length < 112 + 28; ++length) {
    Bytes bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    bytes.shrink_to_fit();
    const bool has_length = length >= 112 + 8;
    const ExtensionList list = decode_extensions(header_of_extensions(), bytes);
    EXPECT_TRUE(list.extensions.empty());
    EXPECT_EQ(!list.fault.empty(), has_length) << length;
  }
}

TEST(EncodeHeader, PutsExtensionsAfterTheHeaderAndEndsThem) {
  const Header header = header_of_extensions();
  const std::vector<Extension> extensions{{0x11223344, filled(3, 7)}, {0x55667788, filled(8, 9)}};
  Bytes expected;
  put_extension(expected, 0x11223344, filled(3, 7));
  put_extension(expected, 0x55667788, filled(8, 9));
  expected.resize(512 - 112);
  const Bytes cluster = encode_header(header, extensions);
  EXPECT_EQ(part_of(cluster, 112, 400), expected);
}

TEST(Extensions, MustFitIntoTheFirstCluster) {
  const Header header{.cluster_bits = 9};
  for (const std::size_t bytes : {512 - 112 - 8, 512 - 112 - 8 + 1}) {
    const auto encode = [&] { encode_header(header, std::vector<Extension>{{0x1234, Bytes(bytes)}}); };
    EXPECT_EQ(code_of(encode), bytes <= 512 - 112 - 8 ? std::error_code() : Errc::unsupported) << bytes;
  }
}

}  // namespace
}  // namespace e2qcow::qcow2
