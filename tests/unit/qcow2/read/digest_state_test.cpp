// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/digest_state.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "qcow2/check/checker.h"
#include "qcow2/read/compare_contents.h"
#include "tests/support/errors.h"
#include "tests/unit/qcow2/read/digested_image.h"

namespace e2qcow::qcow2 {
namespace {

Bytes read_all(const Reader& image) {
  Bytes bytes(image.size());
  image.read(0, bytes);
  return bytes;
}

TEST(DigestState, IsAsWrittenInAnImageThatNothingHasChanged) {
  for (const auto& compression : {std::optional<Compression>(), std::optional(kZstd)})
    for (const DigestKind kind : {DigestKind::xxh3, DigestKind::sha256})
      for (const std::uint32_t bits : {9U, 12U, 16U, 21U}) {
        const DigestedImage image(compression, kind, bits);
        Reader reader(image.file);
        const DigestState state = read_digest_state(reader);
        ASSERT_TRUE(state.table);
        EXPECT_TRUE(state.is_marked);
        EXPECT_TRUE(state.tables_are_as_written());
        EXPECT_TRUE(different_clusters(reader, *state.table, {.threads = 2}).empty());
        EXPECT_EQ(check_contents(reader), "");
        EXPECT_EQ(read_all(reader), image.source().disk());
        EXPECT_EQ(check(image.file).messages, std::vector<std::string>());
      }
}

TEST(DigestState, IsTheSameForAnyNumberOfThreads) {
  for (const auto& compression : {std::optional<Compression>(), std::optional(kZstd)})
    EXPECT_EQ(DigestedImage(compression, DigestKind::xxh3, 9, 1).file.data(),
              DigestedImage(compression, DigestKind::xxh3, 9, 8).file.data());
}

TEST(DigestState, ShowsAClusterThatWasChangedInPlace) {
  DigestedImage image;
  image.flip(image.host_offset(110 << 10));
  Reader reader(image.file);
  const DigestState state = read_digest_state(reader);
  ASSERT_TRUE(state.table);
  EXPECT_TRUE(state.tables_are_as_written());
  EXPECT_EQ(different_clusters(reader, *state.table, {}), (std::vector<Extent>{{108 << 10, 4096}}));
}

TEST(CheckContents, ThrowsWhereTheClusterIsReadAndNowhereElse) {
  DigestedImage image;
  image.flip(image.host_offset(110 << 10));
  Reader reader(image.file);
  EXPECT_EQ(check_contents(reader), "");
  Bytes bytes(kDiskBytes);
  const auto read = [&](std::uint64_t guest_offset, std::uint64_t length) {
    return code_of([&] { reader.read(guest_offset, std::span(bytes).first(length)); });
  };
  EXPECT_EQ(read(0, 108 << 10), std::error_code());
  EXPECT_EQ(read(112 << 10, kDiskBytes - (112 << 10)), std::error_code());
  EXPECT_EQ(read(108 << 10, 4096), Errc::wrong_digest);
  EXPECT_EQ(read(108 << 10, 1), Errc::wrong_digest);              // a part, which is as it was
  EXPECT_EQ(read(100 << 10, (8 << 10) + 1), Errc::wrong_digest);  // the same, at the end
  EXPECT_EQ(read(0, kDiskBytes), Errc::wrong_digest);
}

TEST(CheckContents, ThrowsIfTheLastClusterChangedWhichIsOnlyPartlyInTheDisk) {
  DigestedImage image;
  const std::uint64_t last = kDiskBytes / 4096 * 4096;
  image.flip(image.host_offset(last));
  Reader reader(image.file);
  EXPECT_EQ(check_contents(reader), "");
  Bytes bytes(kDiskBytes - last);
  EXPECT_EQ(code_of([&] { reader.read(last, bytes); }), Errc::wrong_digest);
}

TEST(CheckContents, IsNotDoneIfAnotherProgramHasOpenedTheImage) {
  DigestedImage image;
  image.flip(image.host_offset(110 << 10));
  image.file.data()[88] = std::byte{0};  // the first of the autoclear features
  Reader reader(image.file);
  EXPECT_EQ(check_contents(reader), "");
  EXPECT_EQ(code_of([&] { read_all(reader); }), std::error_code());
}

TEST(CheckContents, SaysWhyNotIfTheDigestsAreGoneOrTheTablesAreOthers) {
  DigestedImage image;
  const std::uint64_t end = image.file.size();
  const auto place = decode_digest_place(Reader(image.file).extensions());
  for (const std::uint64_t host_offset : {place->host_offset, place->host_offset + 512}) {
    image.flip(host_offset);
    Reader reader(image.file);
    EXPECT_NE(check_contents(reader).find("overwritten or cut off"), std::string::npos);
    EXPECT_EQ(read_all(reader), image.source().disk());
    image.flip(host_offset);
  }
  ASSERT_EQ(image.file.size(), end);
  // An entry of the L2 table becomes a zero cluster, as QEMU would make it.
  const std::uint64_t l2 =
      load_be<std::uint64_t>(image.file.data(), Reader(image.file).header().l1_table_offset) &
      ((1ULL << 56) - 1);
  image.file.data()[l2 + 8 + 7] ^= std::byte{1};
  Reader reader(image.file);
  EXPECT_NE(check_contents(reader).find("tables are not as they were written"), std::string::npos);
}

TEST(StreamCheck, ComparesAllThatIsReadInTheEnd) {
  for (const auto& compression : {std::optional<Compression>(), std::optional(kZstd)}) {
    const DigestedImage image(compression);
    Reader reader(image.file);
    StreamCheck check(reader);
    read_all(reader);  // before it begins
    check.begin();
    read_all(reader);
    EXPECT_EQ(check.finish(), "");
  }
}

TEST(StreamCheck, ThrowsIfAClusterIsAnotherOrWasNotRead) {
  DigestedImage image;
  {
    Reader reader(image.file);
    StreamCheck check(reader);
    check.begin();
    EXPECT_EQ(code_of([&] { check.finish(); }), Errc::wrong_digest);
  }
  image.flip(image.host_offset(110 << 10));
  Reader reader(image.file);
  StreamCheck check(reader);
  check.begin();
  read_all(reader);
  EXPECT_EQ(code_of([&] { check.finish(); }), Errc::wrong_digest);
}

}  // namespace
}  // namespace e2qcow::qcow2
