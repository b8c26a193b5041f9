// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/format/record_extension.h"

#include <gtest/gtest.h>

#include "image/block_class.h"
#include "tests/support/bytes.h"

namespace e2qcow::qcow2 {
namespace {

DumpRecord largest_record() {
  DumpRecord record;
  record.kind = DumpKind::all;
  record.program_version = std::string(31, 'v');
  for (std::size_t i = 0; i < 16; ++i) record.filesystem_uuid[i] = static_cast<std::uint8_t>(0xf0 + i);
  record.block_size = 65536;
  for (std::uint8_t i = 0; i < kBlockClasses; ++i) record.classes.push_back({i, ~0ULL - i});
  record.lost_bytes = 4096;
  record.inconsistencies = 17;
  for (std::uint8_t i = 0; i < 12; ++i) record.findings.push_back({i, 0xffffffffU - i});
  record.end = ~0ULL;
  record.is_strictly_anonymized = true;
  record.pair.emplace().fill(0xee);
  record.capture = CaptureState::power_failure;
  record.image_version = 3;
  record.anonymized_with = {1, 2, 3, 4, 5, 6, 7, 8};
  return record;
}

std::optional<DumpRecord> record_in(const Bytes& data) {
  return decode_record(std::vector<Extension>{{kDumpRecord, data}});
}

TEST(DumpRecord, IsWhatWasEncoded) {
  EXPECT_EQ(record_in(encode_record(largest_record()).data), largest_record());
  EXPECT_EQ(record_in(encode_record({}).data), DumpRecord{});
}

TEST(DumpRecord, KeepsWhetherLossesAreKnown) {
  DumpRecord record = largest_record();
  record.losses_known = false;
  record.lost_bytes = 0;
  EXPECT_EQ(record_in(encode_record(record).data), record);
  EXPECT_FALSE(record_in(encode_record(record).data)->complete());
}

TEST(DumpRecord, KeepsWhetherNamesAreAnonymised) {
  DumpRecord record = largest_record();
  EXPECT_EQ(record_in(encode_record(record).data)->anonymized_with, record.anonymized_with);
  record.is_strictly_anonymized = false;
  EXPECT_EQ(record_in(encode_record(record).data), record);
  record.anonymized_with = std::nullopt;
  EXPECT_EQ(record_in(encode_record(record).data), record);
}

TEST(DumpRecord, IsNotAnonymisedByAKeyOfAnotherSize) {
  const auto record = record_in(bytes_of({0, 1, 0, 1, 1, 0, 12, 0, 7, 1, 2, 3, 4, 5, 6, 7}));
  ASSERT_TRUE(record);
  EXPECT_EQ(record->anonymized_with, std::nullopt);
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

// Tag 5, a field for each class.
TEST(DumpRecord, HasTheClassesOfVersion01) {
  const auto record = record_in(bytes_of({0, 1, 0, 1, 1, 0, 5, 0, 9, 7, 0, 0, 0, 0, 0, 0, 0, 8,  //
                                          0, 5, 0, 9, 9, 0, 0, 0, 0, 0, 0, 0, 4}));
  ASSERT_TRUE(record);
  EXPECT_EQ(record->classes, (std::vector<DumpRecord::ClassBytes>{{7, 8}, {9, 4}}));
  EXPECT_EQ(record->image_version, 0);
}

TEST(DumpRecord, IsNotCompleteIfThereIsDoubtOrNoFileSystem) {
  DumpRecord record;
  record.findings = {{static_cast<std::uint8_t>(Finding::mounted), 1}};
  EXPECT_FALSE(record.complete());
  record.findings = {{static_cast<std::uint8_t>(Finding::bad_block_bitmap), 1}};
  EXPECT_TRUE(record.complete());
  record.kind = DumpKind::signatures;
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
  record.end = 256;
  record.image_version = 3;
  Bytes expected = bytes_of({0, 1, 0, 1, 1, 0, 2, 0, 3, '1', '.', '2', 0, 3, 0, 16});
  expected.resize(expected.size() + 16);
  const Bytes rest = bytes_of({0, 4,  0, 4,  0, 0,    0x10, 0,                                      //
                               0, 9,  0, 9,  7, 1,    2,    3,    4,    5, 6,    7,    8,           //
                               0, 7,  0, 8,  0, 0,    0,    0,    0,    0, 0,    6,                 //
                               0, 8,  0, 10, 3, 0x11, 0x22, 0x33, 0x44, 4, 0xff, 0xff, 0xff, 0xff,  //
                               0, 10, 0, 8,  0, 0,    0,    0,    0,    0, 1,    0,                 //
                               0, 11, 0, 1,  3,                                                     //
                               0, 6,  0, 8,  0, 0,    0,    0,    0,    0, 0,    5});
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
  EXPECT_EQ(record_in(encode_record(record).data), largest_record());
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
  EXPECT_EQ(record_in(data), largest_record());
}

TEST(DumpRecord, IsAbsentIfItsKindIsInvalid) {
  EXPECT_EQ(record_in(bytes_of({0, 1, 0, 1, 3})), std::nullopt);
  EXPECT_EQ(record_in(bytes_of({0, 1, 0, 1, 255})), std::nullopt);
}

TEST(DumpRecord, IsAbsentIfAFieldRunsPastTheEnd) {
  EXPECT_EQ(record_in(bytes_of({0, 2, 0, 4, '1', '.', '2'})), std::nullopt);
  EXPECT_EQ(record_in(bytes_of({0, 2, 0xff, 0xff})), std::nullopt);
}

TEST(DumpRecord, IsNeverTakenForACompleteOneIfItIsCut) {
  DumpRecord record = largest_record();
  record.lost_bytes = 0;
  for (auto& [finding, count] : record.findings) finding = 0;  // leaves no doubt
  const Bytes whole = encode_record(record).data;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    cut.shrink_to_fit();  // so that a sanitizer notices reads past its end
    const auto decoded = record_in(cut);
    EXPECT_NE(decoded, record) << length;
    EXPECT_FALSE(decoded && decoded->complete()) << length;  // the losses come last
  }
}

}  // namespace
}  // namespace e2qcow::qcow2
