// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/table_overlaps.h"

#include <gtest/gtest.h>

#include "qcow2/format/read_header.h"
#include "tests/support/errors.h"
#include "tests/support/hand_made_image.h"
#include "tests/support/memory_file.h"

namespace e2qcow::qcow2 {
namespace {

TableOverlaps map_of(const HandMadeImage& image, const std::vector<std::uint64_t>& l2_tables) {
  const MemoryFile file(image.bytes);
  return {file.name(), read_header(file), l2_tables};
}

TEST(TableOverlaps, KnowsWhereNoDataMayLie) {
  HandMadeImage image;
  image.add_data(0, 1);
  const TableOverlaps map = map_of(image, {HandMadeImage::kL2});
  for (const std::uint64_t table : {std::uint64_t{0}, HandMadeImage::kL1, HandMadeImage::kL2}) {
    EXPECT_FALSE(map.is_free({table, 1})) << table;
    EXPECT_FALSE(map.is_free({table + kCluster - 1, 2})) << table;
  }
  EXPECT_TRUE(map.is_free({HandMadeImage::kData, kCluster}));
  EXPECT_TRUE(map.is_free({1ULL << 50, kCluster}));
}

TEST(TableOverlaps, RefusesTablesThatOverlap) {
  for (const std::uint64_t place : {std::uint64_t{0}, HandMadeImage::kL1})
    EXPECT_EQ(code_of([&] { map_of(HandMadeImage(), {place}); }), Errc::corrupt) << place;
  EXPECT_EQ(code_of([&] {
              map_of(HandMadeImage(), {HandMadeImage::kL2, HandMadeImage::kL2});
            }),
            Errc::corrupt);
}

// The disk does not depend on refcounts.
TEST(TableOverlaps, LetsTablesAndDataLieOnRefcounts) {
  const TableOverlaps map = map_of(HandMadeImage(), {HandMadeImage::kRefcountTable});
  EXPECT_TRUE(map.is_free({HandMadeImage::kRefcountBlock, 1}));
}

}  // namespace
}  // namespace e2qcow::qcow2
