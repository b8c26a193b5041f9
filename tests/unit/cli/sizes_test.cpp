// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/sizes.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

namespace e2qcow::cli {
namespace {

std::uint64_t size_of(const std::string& text) {
  return parse_size("--size", text);
}

TEST(HumanSize, NamesBytesAsTheyAre) {
  EXPECT_EQ(human_size(0), "0 bytes");
  EXPECT_EQ(human_size(1023), "1023 bytes");
}

TEST(HumanSize, HasOneDigitAfterThePoint) {
  EXPECT_EQ(human_size(1024), "1.0 KiB");
  EXPECT_EQ(human_size(1536), "1.5 KiB");
  EXPECT_EQ(human_size(3 << 20), "3.0 MiB");
  EXPECT_EQ(human_size(5ULL << 30), "5.0 GiB");
  EXPECT_EQ(human_size(64ULL << 40), "64.0 TiB");
  EXPECT_EQ(human_size(2ULL << 50), "2.0 PiB");
  EXPECT_EQ(human_size(2ULL << 60), "2.0 EiB");
}

TEST(HumanSize, TakesTheNextUnitRatherThan1024) {
  EXPECT_EQ(human_size((1 << 20) - 1), "1.0 MiB");
  EXPECT_EQ(human_size((1 << 20) - 60), "1023.9 KiB");
  EXPECT_EQ(human_size(~0ULL), "16.0 EiB");
}

TEST(ParseSize, TakesPlainBytesAndUnitsInAnyCase) {
  EXPECT_EQ(size_of("0"), 0);
  EXPECT_EQ(size_of("512"), 512);
  EXPECT_EQ(size_of("64k"), 65536);
  EXPECT_EQ(size_of("64K"), 65536);
  EXPECT_EQ(size_of("1M"), 1048576);
  EXPECT_EQ(size_of("2G"), 2147483648);
  EXPECT_EQ(size_of("3t"), 3298534883328);
  EXPECT_EQ(size_of("1P"), 1125899906842624);
  EXPECT_EQ(size_of("64KiB"), 65536);
  EXPECT_EQ(size_of("18446744073709551615"), 18446744073709551615ULL);
}

TEST(ParseSize, RefusesWhatIsNoSize) {
  for (const char* text :
       {"", "k", "-1", "+1", " 1", "1 ", "1 k", "1kk", "0x10", "1.5M", "1e3", "1kB", "64b"})
    EXPECT_THROW(size_of(text), CLI::ValidationError) << "'" << text << "'";
}

TEST(ParseSize, RefusesIBWithoutALetterBeforeIt) {
  EXPECT_THROW(size_of("5iB"), CLI::ValidationError);
}

TEST(ParseSize, RefusesWhatDoesNotFitInto64Bits) {
  EXPECT_EQ(size_of("16383P"), 16383ULL << 50);
  for (const char* text : {"18446744073709551616", "18014398509481984k", "16384P"})
    EXPECT_THROW(size_of(text), CLI::ValidationError) << text;
}

TEST(ParseNumber, TakesDigitsInTheRangeAlone) {
  EXPECT_EQ(parse_number("-n", "0", {0, 10}), 0U);
  EXPECT_EQ(parse_number("-n", "10", {0, 10}), 10U);
  for (const char* text : {"", "11", "-1", "+1", " 1", "1 ", "0x1", "1k", "99999999999999999999"})
    EXPECT_THROW(parse_number("-n", text, {0, 10}), CLI::ValidationError) << text;
}

}  // namespace
}  // namespace e2qcow::cli
