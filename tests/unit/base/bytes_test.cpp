// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/bytes.h"

#include <gtest/gtest.h>

#include "tests/support/bytes.h"

namespace e2qcow {
namespace {

// All lengths up to a few of the steps in which is_zero() goes, at all alignments to them.
constexpr std::size_t kMaxLength = 200;
constexpr std::size_t kMaxAlignment = 64;

TEST(IsZero, HoldsForZerosOfAnyLengthAndAlignmentWhateverIsAround) {
  for (std::size_t start = 0; start < kMaxAlignment; ++start)
    for (std::size_t length = 0; length <= kMaxLength; ++length) {
      Bytes bytes = filled(kMaxAlignment + kMaxLength + 1, 0xff);
      const auto zeros = std::span(bytes).subspan(start, length);
      std::ranges::fill(zeros, std::byte{0});
      ASSERT_TRUE(is_zero(zeros)) << length << " bytes at " << start;
    }
}

TEST(IsZero, FindsEverySingleByteThatIsNot) {
  Bytes bytes(kMaxAlignment + kMaxLength);
  for (std::size_t start = 0; start < kMaxAlignment; start += 7)
    for (std::size_t length = 1; length <= kMaxLength; ++length)
      for (std::size_t position = start; position < start + length; ++position) {
        bytes[position] = std::byte{1};
        ASSERT_FALSE(is_zero(std::span(bytes).subspan(start, length)))
            << position << " in " << length << " bytes at " << start;
        bytes[position] = std::byte{0};
      }
}

TEST(IsZero, FindsEveryBit) {
  for (int bit = 0; bit < 8; ++bit) EXPECT_FALSE(is_zero(bytes_of({0, 1 << bit, 0}))) << bit;
}

TEST(Load, ReadsBigEndianNumbersAtAnyOffset) {
  const Bytes bytes = bytes_of({0xee, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x88});
  EXPECT_EQ(load_be<std::uint8_t>(bytes, 1), 0x01);
  EXPECT_EQ(load_be<std::uint16_t>(bytes, 1), 0x0102);
  EXPECT_EQ(load_be<std::uint32_t>(bytes, 1), 0x01020304U);
  EXPECT_EQ(load_be<std::uint64_t>(bytes, 1), 0x0102030405060788ULL);
}

TEST(Load, ReadsLittleEndianNumbersAtAnyOffset) {
  const Bytes bytes = bytes_of({0xee, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x88});
  EXPECT_EQ(load_le<std::uint8_t>(bytes, 1), 0x01);
  EXPECT_EQ(load_le<std::uint16_t>(bytes, 1), 0x0201);
  EXPECT_EQ(load_le<std::uint32_t>(bytes, 1), 0x04030201U);
  EXPECT_EQ(load_le<std::uint64_t>(bytes, 1), 0x8807060504030201ULL);
}

TEST(Store, WritesBigEndianNumbersAndNothingElse) {
  Bytes bytes = filled(10, 0xee);
  store_be(std::span(bytes), 1, std::uint64_t{0x0102030405060788});
  EXPECT_EQ(bytes, bytes_of({0xee, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x88, 0xee}));
  store_be(std::span(bytes), 2, std::uint16_t{0xabcd});
  EXPECT_EQ(bytes, bytes_of({0xee, 0x01, 0xab, 0xcd, 0x04, 0x05, 0x06, 0x07, 0x88, 0xee}));
  store_be(std::span(bytes), 9, std::uint8_t{0x12});
  EXPECT_EQ(bytes, bytes_of({0xee, 0x01, 0xab, 0xcd, 0x04, 0x05, 0x06, 0x07, 0x88, 0x12}));
}

TEST(Byteswap, ReversesTheBytesOfEveryWidth) {
  EXPECT_EQ(byteswap(std::uint8_t{0x12}), 0x12);
  EXPECT_EQ(byteswap(std::uint16_t{0x1234}), 0x3412);
  EXPECT_EQ(byteswap(std::uint32_t{0x12345678}), 0x78563412U);
  EXPECT_EQ(byteswap(std::uint64_t{0x0123456789abcdef}), 0xefcdab8967452301ULL);
}

TEST(Rounding, GoesToMultiplesOfTheUnit) {
  EXPECT_EQ(round_up(0, 512), 0);
  EXPECT_EQ(round_up(1, 512), 512);
  EXPECT_EQ(round_up(512, 512), 512);
  EXPECT_EQ(round_up(513, 512), 1024);
  EXPECT_EQ(round_down(511, 512), 0);
  EXPECT_EQ(round_down(512, 512), 512);
  EXPECT_EQ(round_down(1023, 512), 512);
  EXPECT_EQ(divide_up(0, 512), 0);
  EXPECT_EQ(divide_up(1, 512), 1);
  EXPECT_EQ(divide_up(512, 512), 1);
  EXPECT_EQ(divide_up(513, 512), 2);
}

TEST(Rounding, DividesTheLargestNumbers) {
  constexpr std::uint64_t kLargest = 0xffff'ffff'ffff'ffff;
  EXPECT_EQ(divide_up(kLargest, 1), kLargest);
  EXPECT_EQ(divide_up(kLargest, 2), 1ULL << 63);
  EXPECT_EQ(divide_up(kLargest, 0xffff'ffff), (1ULL << 32) + 1);
  EXPECT_EQ(divide_up(kLargest, kLargest), 1);
  EXPECT_EQ(round_up(kLargest - 511, 512), kLargest - 511);
}

}  // namespace
}  // namespace e2qcow
