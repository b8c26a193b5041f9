// SPDX-License-Identifier: GPL-2.0-or-later
#include <e2qcow/file.h>
#include <gtest/gtest.h>

#include "tests/support/bytes.h"
#include "tests/support/memory_file.h"

namespace e2qcow {
namespace {

TEST(File, WritesPartsOneAfterTheOther) {
  MemoryFile file(filled(8, 0xee));
  const Bytes first = bytes_of({1, 2});
  const Bytes second = bytes_of({3});
  const Bytes third = bytes_of({4, 5});
  const std::vector<std::span<const std::byte>> parts{first, second, {}, third};
  file.write(1, parts);
  EXPECT_EQ(file.data(), bytes_of({0xee, 1, 2, 3, 4, 5, 0xee, 0xee}));
}

TEST(File, ZeroesARangeLargerThanOneWriteAndNothingElse) {
  constexpr std::uint64_t kLength = 700'000;
  for (const auto how : {File::Zeroing::keep_allocated, File::Zeroing::discard}) {
    MemoryFile file(filled(kLength + 20, 0xee));
    file.zero({10, kLength}, how);
    EXPECT_EQ(part_of(file.data(), 0, 10), filled(10, 0xee));
    EXPECT_EQ(part_of(file.data(), 10, kLength), filled(kLength, 0));
    EXPECT_EQ(part_of(file.data(), kLength + 10, 10), filled(10, 0xee));
  }
}

TEST(File, ZeroesNothingInAnEmptyRange) {
  MemoryFile file(filled(4, 0xee));
  file.zero({2, 0}, File::Zeroing::discard);
  EXPECT_EQ(file.data(), filled(4, 0xee));
  EXPECT_EQ(file.writes(), 0);
}

TEST(File, HasDataUpToItsEndIfHolesAreUnknown) {
  const MemoryFile file(Bytes(1000));
  EXPECT_EQ(file.next_data(0), (Extent{0, 1000}));
  EXPECT_EQ(file.next_data(999), (Extent{999, 1}));
  EXPECT_EQ(file.next_data(1000), std::nullopt);
  EXPECT_EQ(file.next_data(~0ULL), std::nullopt);
}

}  // namespace
}  // namespace e2qcow
