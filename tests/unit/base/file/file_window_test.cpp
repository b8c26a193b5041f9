// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/file_window.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/bytes.h"
#include "tests/support/errors.h"
#include "tests/support/memory_file.h"
#include "tests/support/sparse_file.h"

namespace e2qcow {
namespace {

constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max();

Bytes read_from(const ReadableFile& file, std::uint64_t offset, std::size_t count) {
  Bytes bytes = filled(count, 0xee);
  file.read(offset, bytes);
  return bytes;
}

TEST(FileWindow, ReadsAPartOfAFile) {
  MemoryFile disk(bytes_of({0, 1, 2, 3, 4, 5, 6, 7}));
  const FileWindow window(disk, {2, 4});
  EXPECT_EQ(window.size(), 4);
  EXPECT_EQ(read_from(window, 0, 4), bytes_of({2, 3, 4, 5}));
}

TEST(FileWindow, MayBeTheWholeFileOrNothing) {
  MemoryFile disk(bytes_of({1, 2}));
  EXPECT_EQ(read_from(FileWindow(disk, {0, 2}), 0, 2), bytes_of({1, 2}));
  EXPECT_EQ(FileWindow(disk, {2, 0}).size(), 0);
}

TEST(FileWindow, MustLieInsideTheFile) {
  MemoryFile disk(Bytes(8));
  for (const Extent outside : {Extent{0, 9}, Extent{8, 1}, Extent{9, 0}, Extent{4, kHuge}, Extent{kHuge, 4}})
    EXPECT_EQ(code_of([&] { FileWindow(disk, outside); }), Errc::truncated)
        << outside.offset << "+" << outside.length;
}

TEST(FileWindow, ReadsNothingPastItsEndThoughTheFileContinues) {
  MemoryFile disk(Bytes(8));
  const FileWindow window(disk, {2, 4});
  Bytes out(5);
  EXPECT_EQ(code_of([&] { window.read(0, out); }), Errc::truncated);
  EXPECT_EQ(code_of([&] { window.read(4, std::span(out).first(1)); }), Errc::truncated);
  EXPECT_EQ(code_of([&] { window.read(kHuge, std::span(out).first(3)); }), Errc::truncated);
}

TEST(FileWindow, FindsDataByItsOwnOffsetsAndCutsItAtItsEnd) {
  SparseFile disk(1000);
  disk.put(100, filled(50, 1));
  disk.put(300, filled(500, 1));
  FileWindow window(disk, {120, 400});
  EXPECT_EQ(window.next_data(0), (Extent{0, 30}));
  EXPECT_EQ(window.next_data(30), (Extent{180, 220}));
  EXPECT_EQ(window.next_data(399), (Extent{399, 1}));
  EXPECT_EQ(window.next_data(400), std::nullopt);
}

TEST(FileWindow, SeesNoDataThatBeginsAfterIt) {
  SparseFile disk(1000);
  disk.put(500, filled(10, 1));
  EXPECT_EQ(FileWindow(disk, {0, 500}).next_data(0), std::nullopt);
}

class FileWithDescriptor : public MemoryFile {
 public:
  std::optional<Descriptor> descriptor() const override { return Descriptor{7, 1000}; }
};

TEST(FileWindow, HasADescriptorForTheKernel) {
  FileWithDescriptor disk;
  disk.resize(100);
  const auto place = FileWindow(disk, {30, 40}).descriptor();
  ASSERT_TRUE(place);
  EXPECT_EQ(place->fd, 7);
  EXPECT_EQ(place->offset, 1030);
  MemoryFile in_memory(Bytes(100));
  EXPECT_FALSE(FileWindow(in_memory, {30, 40}).descriptor());
}

}  // namespace
}  // namespace e2qcow
