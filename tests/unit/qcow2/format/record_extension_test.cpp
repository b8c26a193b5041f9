// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/format/record_extension.h"

#include <gtest/gtest.h>

#include "tests/support/bytes.h"

namespace e2qcow::qcow2 {
namespace {

DumpRecord largest_record() {
  DumpRecord record;
  record.kind = DumpKind::all;
  record.program_version = std::string(32, 'v');
  for (std::size_t i = 0; i < 16; ++i) record.filesystem_uuid[i] = static_cast<std::uint8_t>(0xf0 + i);
  record.block_size = 65536;
  for (std::uint8_t i = 0; i < 16; ++i) record.classes.push_back({i, ~0ULL - i});
  record.lost_bytes = 4096;
  record.inconsistencies = 17;
  for (std::uint8_t i = 0; i < 12; ++i) record.findings.push_back({i, 0xffffffffU - i});
  return record;
}

std::optional<DumpRecord> decode(const Bytes& data) {
  return decode_record(std::vector<Extension>{{kDumpRecord, data}});
}

TEST(DumpRecord, IsWhatWasEncoded) {
  EXPECT_EQ(decode(encode_record(largest_record()).data), largest_record());
  EXPECT_EQ(decode(encode_record({}).data), DumpRecord{});
}

TEST(DumpRecord, KeepsWhetherLossesAreKnown) {
  DumpRecord record = largest_record();
  record.losses_known = false;
  record.lost_bytes = 0;
  EXPECT_EQ(decode(encode_record(record).data), record);
  EXPECT_FALSE(decode(encode_record(record).data)->complete());
}

TEST(DumpRecord, IsCompleteIfNothingIsLostAndThatIsKnown) {
  DumpRecord record;
  EXPECT_TRUE(record.complete());
  record.losses_known = false;
  EXPECT_FALSE(record.complete());
  record.losses_known = true;
  record.lost_bytes = 1;
  EXPECT_FALSE(record.complete());
}

TEST(DumpRecord, IsStoredAsItsHeaderDescribes) {
  DumpRecord record;
  record.kind = DumpKind::all;
  record.program_version = "1.2";
  record.block_size = 4096;
  record.classes = {{7, 0x0102030405060708}};
  record.lost_bytes = 5;
  record.inconsistencies = 6;
  record.findings = {{3, 0x11223344}, {4, 1ULL << 40}};  // too many for the field
  Bytes expected = bytes_of({0, 1, 0, 1, 1, 0, 2, 0, 3, '1', '.', '2', 0, 3, 0, 16});
  expected.resize(expected.size() + 16);
  const Bytes rest = bytes_of({0, 4, 0, 4,  0, 0,    0x10, 0,                             //
                               0, 5, 0, 9,  7, 1,    2,    3,    4,    5, 6,    7,    8,  //
                               0, 6, 0, 8,  0, 0,    0,    0,    0,    0, 0,    5,        //
                               0, 7, 0, 8,  0, 0,    0,    0,    0,    0, 0,    6,        //
                               0, 8, 0, 10, 3, 0x11, 0x22, 0x33, 0x44, 4, 0xff, 0xff, 0xff, 0xff});
  expected.insert(expected.end(), rest.begin(), rest.end());
  const Extension extension = encode_record(record);
  EXPECT_EQ(extension.type, 0x65327163U);
  EXPECT_EQ(extension.data, expected);
}

TEST(DumpRecord, FitsIntoTheSmallestFirstClusterAtItsLargest) {
  // 112 bytes of header, 8 of the extension's, 8 of the end mark
  EXPECT_LE(encode_record(largest_record()).data.size(), 512 - 112 - 8 - 8);
}

TEST(DumpRecord, CutsAVersionThatIsTooLong) {
  DumpRecord record = largest_record();
  record.program_version = std::string(33, 'v');
  EXPECT_EQ(decode(encode_record(record).data), largest_record());
}

TEST(DumpRecord, IsAbsentWithoutItsExtension) {
  EXPECT_EQ(decode_record({}), std::nullopt);
  const std::vector<Extension> others{{kBackingFormat, text_bytes("raw")}};
  EXPECT_EQ(decode_record(others), std::nullopt);
}

TEST(DumpRecord, IsFoundAmongOtherExtensions) {
  const std::vector<Extension> extensions{{kBackingFormat, text_bytes("raw")},
                                          encode_record(largest_record())};
  EXPECT_EQ(decode_record(extensions), largest_record());
}

TEST(DumpRecord, SkipsFieldsOfNewerVersions) {
  Bytes data = bytes_of({0x12, 0x34, 0, 3, 1, 2, 3});
  const Bytes rest = encode_record(largest_record()).data;
  data.insert(data.end(), rest.begin(), rest.end());
  EXPECT_EQ(decode(data), largest_record());
}

TEST(DumpRecord, IsAbsentIfItsKindIsInvalid) {
  EXPECT_EQ(decode(bytes_of({0, 1, 0, 1, 2})), std::nullopt);
  EXPECT_EQ(decode(bytes_of({0, 1, 0, 1, 255})), std::nullopt);
}

TEST(DumpRecord, IsAbsentIfAFieldRunsPastTheEnd) {
  EXPECT_EQ(decode(bytes_of({0, 2, 0, 4, '1', '.', '2'})), std::nullopt);
  EXPECT_EQ(decode(bytes_of({0, 2, 0xff, 0xff})), std::nullopt);
}

TEST(DumpRecord, IsNeverTakenForACompleteOneIfItIsCut) {
  DumpRecord record = largest_record();
  record.lost_bytes = 0;
  const Bytes whole = encode_record(record).data;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    cut.shrink_to_fit();  // so that a sanitizer notices reads past its end
    const auto decoded = decode(cut);
    EXPECT_NE(decoded, record) << length;
    // Behind the losses are 12 bytes of the inconsistencies, and the findings in one field.
    const std::size_t findings = 4 + 5 * record.findings.size();
    const bool has_losses = length == whole.size() - findings || length == whole.size() - findings - 12;
    EXPECT_EQ(decoded && decoded->complete(), has_losses) << length;
  }
}

}  // namespace
}  // namespace e2qcow::qcow2
