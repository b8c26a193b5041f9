// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/format/digest_seal.h"

#include <gtest/gtest.h>

#include <array>

#include "qcow2/format/record_extension.h"
#include "tests/support/random.h"

namespace e2qcow::qcow2 {
namespace {

Digest some_digest(int value) {
  Digest digest;
  digest.bytes.fill(static_cast<std::byte>(value));
  return digest;
}

DigestSeal some_seal(DigestKind kind) {
  return {.kind = kind,
          .cluster_bits = 16,
          .runs = 3,
          .clusters = 77,
          .table = some_digest(1),
          .contents = some_digest(2),
          .header = some_digest(3),
          .mapping = some_digest(4),
          .refcounts = some_digest(5)};
}

Extension record_by(const std::string& version) {
  DumpRecord record;
  record.program_version = version;
  return encode_record(record);
}

TEST(DigestPlace, ComesBackFromTheHeader) {
  for (const DigestKind kind : {DigestKind::xxh3, DigestKind::sha256}) {
    const DigestPlace place{kind, 0x12'3456'7890'0000};
    EXPECT_EQ(decode_digest_place(std::array{encode_digest_place(place)}), place);
  }
}

TEST(DigestPlace, IsAbsentIfItIsOfAnotherKind) {
  EXPECT_EQ(decode_digest_place({}), std::nullopt);
  Extension unknown = encode_digest_place({DigestKind::xxh3, 512});
  unknown.data[0] = std::byte{9};
  EXPECT_EQ(decode_digest_place(std::array{unknown}), std::nullopt);
  Extension longer = encode_digest_place({DigestKind::xxh3, 512});
  longer.data.push_back({});
  EXPECT_EQ(decode_digest_place(std::array{longer}), std::nullopt);
}

TEST(DigestSeal, ComesBack) {
  for (const DigestKind kind : {DigestKind::xxh3, DigestKind::sha256})
    EXPECT_EQ(decode_seal(encode_seal(some_seal(kind))), some_seal(kind));
}

TEST(DigestSeal, IsNotBelievedIfAnyBitOfItIsWrong) {
  for (const DigestKind kind : {DigestKind::xxh3, DigestKind::sha256}) {
    const auto intact = encode_seal(some_seal(kind));
    for (std::size_t bit = 0; bit < intact.size() * 8; ++bit) {
      auto bytes = intact;
      bytes[bit / 8] ^= std::byte{1} << (bit % 8);
      ASSERT_EQ(decode_seal(bytes), std::nullopt) << bit;
    }
    EXPECT_EQ(decode_seal(std::span(intact).first(intact.size() - 1)), std::nullopt);
  }
}

TEST(SetDigest, IsTheSameInAnyOrderAndDependsOnEachElement) {
  const std::array<std::byte, 16> a{std::byte{1}};
  const std::array<std::byte, 16> b{std::byte{2}};
  const auto set = [](std::initializer_list<std::pair<std::uint64_t, std::span<const std::byte>>> elements) {
    SetDigest digest(DigestKind::xxh3);
    for (const auto& [cluster, bytes] : elements) digest.add(cluster, bytes);
    EXPECT_EQ(digest.count(), elements.size());
    return digest.digest();
  };
  EXPECT_EQ(set({{1, a}, {2, b}}), set({{2, b}, {1, a}}));
  EXPECT_NE(set({{1, a}, {2, b}}), set({{1, b}, {2, a}}));  // exchanged
  EXPECT_NE(set({{1, a}, {2, a}}), set({{3, a}, {2, a}}));
  EXPECT_NE(set({{1, a}}), set({}));
}

TEST(DigestOfHeader, IgnoresWhatQemuMayChangeInAnUnchangedImage) {
  Header header{.size = 1 << 20, .l1_size = 1, .l1_table_offset = 65536};
  const std::vector<Extension> extensions{record_by("1")};
  const Digest before = digest_of_header(DigestKind::xxh3, header, extensions);
  header.autoclear_features = kUnchangedDump;
  std::vector<Extension> more{{kFeatureNames, std::vector<std::byte>(48)}, extensions[0]};
  EXPECT_EQ(digest_of_header(DigestKind::xxh3, header, more), before);
}

TEST(DigestOfHeader, DependsOnWhatTheDiskDependsOnAndOnTheRecord) {
  const Header header{.size = 1 << 20, .l1_size = 1, .l1_table_offset = 65536};
  const std::vector<Extension> extensions{record_by("1")};
  const Digest before = digest_of_header(DigestKind::xxh3, header, extensions);
  const auto changed = [&](auto change) {
    Header other = header;
    change(other);
    return digest_of_header(DigestKind::xxh3, other, extensions) != before;
  };
  EXPECT_TRUE(changed([](Header& other) { other.size += 512; }));
  EXPECT_TRUE(changed([](Header& other) { other.l1_table_offset += 65536; }));
  EXPECT_TRUE(changed([](Header& other) { other.incompatible_features = kDirty; }));
  EXPECT_TRUE(changed([](Header& other) { other.backing_file_offset = other.backing_file_size = 200; }));
  EXPECT_FALSE(changed([](Header& other) { other.backing_file_size = 200; }));  // without a place: no name
  const std::vector<Extension> other{record_by("2")};
  EXPECT_NE(digest_of_header(DigestKind::xxh3, header, other), before);
}

}  // namespace
}  // namespace e2qcow::qcow2
