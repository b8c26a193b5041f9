// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/replacement/secret.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/bytes.h"
#include "tests/support/test_secret.h"

namespace e2qcow::ext2 {
namespace {

std::string hex(std::span<const std::uint8_t> bytes) {
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

// Made with Python: hashlib.blake2b(number.to_bytes(8, "little") + purpose, key=bytes(range(32)),
// digest_size=32)
TEST(Secret, DerivesByBlake2b) {
  EXPECT_EQ(hex(test_secret().derived("names").bytes()),
            "df4ba469e93529cebeb14fc3821c753076e10d048a4beedb1a19f17af690315e");
  EXPECT_EQ(hex(test_secret().derived("directory", 12).bytes()),
            "fd3afedd11cb10425c5d4aa1d980e495101eb79428c54d6a2093a354ce11239a");
}

TEST(Secret, DerivesAnotherForEachPurposeNumberAndSecret) {
  const auto bytes = test_secret().derived("directory", 12).bytes();
  EXPECT_NE(test_secret().derived("directory", 13).bytes(), bytes);
  EXPECT_NE(test_secret().derived("directorY", 12).bytes(), bytes);
  EXPECT_NE(test_secret(1).derived("directory", 12).bytes(), bytes);
  EXPECT_EQ(test_secret().derived("directory", 12).bytes(), bytes);
}

// The vectors of the authors of SipHash, for outputs of 128 bits: github.com/veorq/SipHash, vectors.h
TEST(Secret, HashesBySipHash) {
  const auto empty = test_secret().hash("");
  EXPECT_EQ(empty.first, 0xe6a825ba047f81a3U);
  EXPECT_EQ(empty.second, 0x930255c71472f66dU);
  const auto zero = test_secret().hash(Bytes(1));
  EXPECT_EQ(zero.first, 0x44af996bd8c187daU);
  EXPECT_EQ(zero.second, 0x45fc229b11597634U);
}

TEST(Secret, HasAFingerprintThatIsNoPartOfIt) {
  const auto fingerprint = test_secret().fingerprint();
  EXPECT_EQ(hex(fingerprint), "240139012ed62024");
  EXPECT_EQ(test_secret().fingerprint(), fingerprint);
  EXPECT_NE(test_secret(1).fingerprint(), fingerprint);
}

TEST(Secret, ReplacesAllBytesByOthersIfOneChanges) {
  Bytes one = text_bytes("an encryption key");
  Bytes same = one;
  Bytes other = one;
  other[16] ^= std::byte{1};
  for (Bytes* bytes : {&one, &same, &other}) test_secret().replace(*bytes);
  EXPECT_EQ(one, same);
  EXPECT_NE(part_of(one, 0, 16), part_of(other, 0, 16));
  EXPECT_NE(part_of(one, 0, 16), part_of(text_bytes("an encryption key"), 0, 16));
}

TEST(Secret, ReplacesNothingInNothing) {
  Bytes none;
  test_secret().replace(none);
  EXPECT_TRUE(none.empty());
}

TEST(Secret, IsAnotherEachTimeIfItIsRandom) {
  EXPECT_NE(Secret::random().bytes(), Secret::random().bytes());
}

}  // namespace
}  // namespace e2qcow::ext2
