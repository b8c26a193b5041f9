// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/covering_source.h"

#include <gtest/gtest.h>

#include "tests/support/bytes.h"
#include "tests/support/memory_source.h"
#include "tests/support/random.h"

namespace e2qcow {
namespace {

TEST(CoveringSource, HasTheFurtherExtentsAsZeros) {
  Bytes disk = filled(10'000, 7);  // also where the source has no extents
  const MemorySource source(disk, {{2000, 1000}, {5000, 500}});
  const CoveringSource covering(source, {{1000, 3000}, {4500, 2000}, {9000, 1000}});
  EXPECT_EQ(covering.next_extent(0), (Extent{1000, 3000}));
  EXPECT_EQ(covering.next_extent(3500), (Extent{3500, 500}));
  EXPECT_EQ(covering.next_extent(4000), (Extent{4500, 2000}));
  EXPECT_EQ(covering.next_extent(6500), (Extent{9000, 1000}));
  Bytes read = filled(10'000, 9);
  covering.read(0, read);
  Bytes expected(10'000);
  for (const Extent own : {Extent{2000, 1000}, Extent{5000, 500}})
    std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(own.offset), own.length, std::byte{7});
  EXPECT_TRUE(read == expected);
  read.resize(700);
  covering.read(2900, read);
  EXPECT_TRUE(read == part_of(expected, 2900, 700));
}

TEST(CoveringSource, IsStoredWhereTheSourceIs) {
  const MemorySource source(filled(10'000, 7), {{2000, 1000}});
  const CoveringSource covering(source, {{1000, 3000}});
  EXPECT_FALSE(covering.stored_at({1500, 1000}));
  EXPECT_FALSE(covering.stored_at({2500, 1000}));
}

}  // namespace
}  // namespace e2qcow
