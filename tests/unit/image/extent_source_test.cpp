// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/extent_source.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include "tests/support/bytes.h"
#include "tests/support/errors.h"
#include "tests/support/memory_file.h"

namespace e2qcow {
namespace {

TEST(ImageSize, IsTheFilesInWholeSectors) {
  EXPECT_EQ(image_size(MemoryFile(Bytes(0))), 0);
  EXPECT_EQ(image_size(MemoryFile(Bytes(1))), 512);
  EXPECT_EQ(image_size(MemoryFile(Bytes(512))), 512);
  EXPECT_EQ(image_size(MemoryFile(Bytes(513))), 1024);
}

TEST(ExtentSource, HandsOutItsExtentsInOrder) {
  const MemoryFile file(Bytes(1024));
  ExtentSource source(file, {{100, 50}, {300, 100}});
  EXPECT_EQ(source.size(), 1024);
  EXPECT_EQ(source.next_extent(0), (Extent{100, 50}));
  EXPECT_EQ(source.next_extent(150), (Extent{300, 100}));
  EXPECT_EQ(source.next_extent(400), std::nullopt);
}

TEST(ExtentSource, CutsAnExtentThatBeganBefore) {
  const MemoryFile file(Bytes(1024));
  ExtentSource source(file, {{100, 50}, {300, 100}});
  EXPECT_EQ(source.next_extent(120), (Extent{120, 30}));
  EXPECT_EQ(source.next_extent(149), (Extent{149, 1}));
  EXPECT_EQ(source.next_extent(399), (Extent{399, 1}));
}

TEST(ExtentSource, TakesOffsetsInAnyOrder) {
  const MemoryFile file(Bytes(1024));
  const ExtentSource source(file, {{100, 50}, {300, 100}});
  EXPECT_EQ(source.next_extent(400), std::nullopt);
  EXPECT_EQ(source.next_extent(310), (Extent{310, 90}));
  EXPECT_EQ(source.next_extent(120), (Extent{120, 30}));
  EXPECT_EQ(source.next_extent(0), (Extent{100, 50}));
}

TEST(ExtentSource, HasNothingWithoutExtents) {
  const MemoryFile file(Bytes(1024));
  EXPECT_EQ(ExtentSource(file, {}).next_extent(0), std::nullopt);
}

TEST(ExtentSource, ReadsTheFile) {
  const MemoryFile file(bytes_of({1, 2, 3, 4}));
  ExtentSource source(file, {{0, 4}});
  Bytes out(2);
  source.read(1, out);
  EXPECT_EQ(out, bytes_of({2, 3}));
  EXPECT_EQ(code_of([&] { source.read(3, out); }), Errc::truncated);
}

}  // namespace
}  // namespace e2qcow
