// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/data_cursor.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/random.h"
#include "tests/support/sparse_file.h"

namespace e2qcow {
namespace {

class DataCursorTest : public testing::Test {
 protected:
  DataCursorTest() {
    disk_.put(100, filled(100, 1));
    disk_.put(500, filled(100, 1));
  }
  std::vector<Extent> parts_in(Extent range) {
    std::vector<Extent> parts;
    cursor_.for_each_in(range, [&](Extent part) { parts.push_back(part); });
    return parts;
  }

  SparseFile disk_{1000};
  DataCursor cursor_{disk_};
};

using Parts = std::vector<Extent>;

TEST_F(DataCursorTest, VisitsTheDataInARange) {
  EXPECT_EQ(parts_in({0, 1000}), (Parts{{100, 100}, {500, 100}}));
}

TEST_F(DataCursorTest, CutsDataAtBothEndsOfTheRange) {
  EXPECT_EQ(parts_in({150, 400}), (Parts{{150, 50}, {500, 50}}));
}

TEST_F(DataCursorTest, VisitsNothingInAHole) {
  EXPECT_EQ(parts_in({200, 300}), Parts{});
  EXPECT_EQ(parts_in({600, 400}), Parts{});
}

TEST_F(DataCursorTest, VisitsNothingPastTheEndOfTheFile) {
  EXPECT_EQ(parts_in({1000, 100}), Parts{});
  EXPECT_EQ(parts_in({550, 1000}), (Parts{{550, 50}}));
}

TEST_F(DataCursorTest, TakesRangesInAnyOrder) {
  EXPECT_EQ(parts_in({500, 10}), (Parts{{500, 10}}));
  EXPECT_EQ(parts_in({100, 10}), (Parts{{100, 10}}));
  EXPECT_EQ(parts_in({700, 10}), Parts{});
  EXPECT_EQ(parts_in({0, 550}), (Parts{{100, 100}, {500, 50}}));
}

TEST(DataIn, LeavesOutHoles) {
  SparseFile file(100 * 1024);
  file.put(3000, filled(200, 1));
  file.put(10 * 1024, filled(5 * 1024, 1));
  const std::vector<Extent> extents{{2048, 4096}, {8192, 4096}};
  EXPECT_EQ(data_in(file, extents), (std::vector<Extent>{{3000, 200}, {10240, 2048}}));
}

TEST(DataIn, FindsNothingInAFileOfHoles) {
  EXPECT_EQ(data_in(SparseFile(100 * 1024), std::vector<Extent>{{0, 100 * 1024}}), std::vector<Extent>{});
}

TEST(DataIn, FindsExactlyTheBytesThatAreNoHoles) {
  Random random;
  for (int round = 0; round < 10; ++round) {
    SparseFile file(200 * 1024);
    for (const Extent& extent : random.extents(200 * 1024, 9000, 9000))
      file.put(extent.offset, filled(extent.length, 1));
    const std::vector<Extent> wanted = random.extents(200 * 1024, 9000, 9000);
    Bytes bytes(200 * 1024);
    file.read(0, bytes);
    std::vector<bool> expected(bytes.size());
    for (const Extent& extent : wanted)
      for (std::uint64_t i = extent.offset; i < extent.end(); ++i) expected[i] = bytes[i] != std::byte{0};
    std::vector<bool> found(bytes.size());
    for (const Extent& extent : data_in(file, wanted))
      for (std::uint64_t i = extent.offset; i < extent.end(); ++i) found[i] = true;
    ASSERT_TRUE(found == expected);
  }
}

}  // namespace
}  // namespace e2qcow
