// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/table_overlaps.h"

#include <gtest/gtest.h>

#include "qcow2/format/read_header.h"
#include "tests/support/errors.h"
#include "tests/support/hand_made_image.h"
#include "tests/support/memory_file.h"

namespace e2qcow::qcow2 {
namespace {

constexpr std::uint64_t kCluster = HandMadeImage::kCluster;

TableOverlaps map_of(const HandMadeImage& image, const std::vector<std::uint64_t>& l2_tables) {
  const MemoryFile file(image.bytes);
  const Header header = read_header(file);
  return {file, header, read_extensions(file, header), l2_tables};
}

TEST(TableOverlaps, KnowsWhereNoDataMayLie) {
  HandMadeImage image;
  image.add_data(0, 1);
  const TableOverlaps map = map_of(image, {HandMadeImage::kL2});
  for (std::uint64_t offset = 0; offset < HandMadeImage::kData; offset += 100) {
    EXPECT_FALSE(map.is_free({offset, 1})) << offset;
  }
  EXPECT_TRUE(map.is_free({HandMadeImage::kData, kCluster}));
  EXPECT_FALSE(map.is_free({HandMadeImage::kData - 1, 2}));
  EXPECT_TRUE(map.is_free({1ULL << 50, kCluster}));
}

TEST(TableOverlaps, RefusesTablesThatOverlap) {
  for (const std::uint64_t place :
       {std::uint64_t{0}, HandMadeImage::kL1, HandMadeImage::kRefcountTable, HandMadeImage::kRefcountBlock})
    EXPECT_EQ(code_of([&] { map_of(HandMadeImage(), {place}); }), Errc::corrupt) << place;
  EXPECT_EQ(code_of([&] {
              map_of(HandMadeImage(), {HandMadeImage::kL2, HandMadeImage::kL2});
            }),
            Errc::corrupt);
}

TEST(TableOverlaps, RefusesRefcountBlocksThatCannotBe) {
  for (const auto& [entry, code] : {std::pair{HandMadeImage::kRefcountBlock | 1, Errc::corrupt},
                                    std::pair{std::uint64_t{100 * kCluster}, Errc::truncated},
                                    std::pair{HandMadeImage::kL1, Errc::corrupt}}) {
    HandMadeImage image;
    set_be(image.bytes, HandMadeImage::kRefcountTable, entry, 8);
    EXPECT_EQ(code_of([&] { map_of(image, {}); }), code) << entry;
  }
}

}  // namespace
}  // namespace e2qcow::qcow2
