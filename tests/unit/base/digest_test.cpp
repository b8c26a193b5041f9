// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/digest.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/random.h"

namespace e2qcow {
namespace {

std::string hex(const Digest& digest, DigestKind kind) {
  std::string text;
  for (std::size_t i = 0; i < digest_size(kind); ++i)
    text += fmt::format("{:02x}", static_cast<unsigned>(digest.bytes[i]));
  return text;
}

std::string hex_of(DigestKind kind, std::string_view text) {
  return hex(digest_of(kind, std::as_bytes(std::span(text))), kind);
}

// As `xxhsum -H2` prints it.
TEST(Digest, IsXxh3AsOthersComputeIt) {
  EXPECT_EQ(hex_of(DigestKind::xxh3, ""), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(hex_of(DigestKind::xxh3, "abc"), "06b05ab6733a618578af5f94892f3950");
}

// FIPS 180-2, appendix B.1
TEST(Digest, IsSha256AsTheStandardHasIt) {
  EXPECT_EQ(hex_of(DigestKind::sha256, "abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digest, IsTheSameForBytesInPieces) {
  Random random;
  for (const DigestKind kind : {DigestKind::xxh3, DigestKind::sha256}) {
    const Bytes bytes = random.bytes(3000);
    for (int round = 0; round < 20; ++round) {
      Hasher hasher(kind);
      std::span<const std::byte> rest = bytes;
      while (!rest.empty()) {
        const std::size_t length = 1 + random.below(rest.size());
        hasher.add(rest.first(length));
        rest = rest.subspan(length);
      }
      EXPECT_EQ(hasher.finish(), digest_of(kind, bytes));
    }
  }
}

// The processor's own way, and that of the library.
TEST(Digest, IsTheSameAtOnceAndInPiecesForEachLength) {
  Random random;
  const Bytes bytes = random.bytes(200'000);
  for (std::size_t length = 0; length < bytes.size(); length += 1 + length / 50) {
    const auto part = std::span<const std::byte>(bytes).first(length);
    Hasher hasher(DigestKind::xxh3);
    hasher.add(part);
    ASSERT_EQ(hasher.finish(), digest_of(DigestKind::xxh3, part)) << length;
  }
}

TEST(Digest, HasKindsByNumber) {
  EXPECT_EQ(digest_kind(1), DigestKind::xxh3);
  EXPECT_EQ(digest_kind(2), DigestKind::sha256);
  EXPECT_EQ(digest_kind(0), std::nullopt);
  EXPECT_EQ(digest_kind(3), std::nullopt);
  EXPECT_EQ(digest_kind(257), std::nullopt);
}

}  // namespace
}  // namespace e2qcow
