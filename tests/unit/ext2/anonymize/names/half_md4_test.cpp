// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/names/half_md4.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "ext2/anonymize/names/hash_cells.h"

namespace e2qcow::ext2 {
namespace {

// libext2fs is the judge.
void expect_hashes_of_libext2fs(const HalfMd4::Seed& seed, int version) {
  std::mt19937 random(1);
  const NameHash judge{.version = static_cast<std::uint8_t>(version), .seed = seed};
  const HalfMd4 hash(seed);
  for (std::size_t length = 1; length <= 255; ++length) {
    std::string names(HalfMd4::kNames * length, '\0');
    for (char& c : names) c = static_cast<char>(random() % 128);
    const HalfMd4::Hashes hashes = hash.of(names, length);
    for (std::size_t i = 0; i < HalfMd4::kNames; ++i)
      ASSERT_EQ(hashes[i], judge.of(std::string_view(names).substr(i * length, length))) << length;
  }
}

TEST(HalfMd4, IsThatOfLibext2fs) {
  for (const int version : {EXT2_HASH_HALF_MD4, EXT2_HASH_HALF_MD4_UNSIGNED}) {
    expect_hashes_of_libext2fs({1, 2, 3, 0xfedcba98}, version);
    expect_hashes_of_libext2fs({}, version);
  }
}

}  // namespace
}  // namespace e2qcow::ext2
