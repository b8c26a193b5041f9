// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/write/table_writer.h"

#include <gtest/gtest.h>

#include "tests/support/bytes.h"
#include "tests/support/memory_file.h"

namespace e2qcow::qcow2 {
namespace {

using enum TableWriter::Background;

constexpr std::uint64_t kBegin = 4096;
constexpr std::uint64_t kEnd = 3 << 20;
constexpr std::uint64_t kPage = 512;

// Entries of value 7 at the given offsets in tables from kBegin to kEnd.
Bytes written(TableWriter::Background background, const std::vector<std::uint64_t>& offsets) {
  MemoryFile file(filled(kEnd + kPage, 0xee));
  TableWriter writer(file, kBegin, background);
  for (const std::uint64_t offset : offsets) writer.set(offset, 7);
  writer.finish(kEnd);
  return file.data();
}

Bytes expected(std::vector<std::uint64_t> zero_pages, const std::vector<std::uint64_t>& offsets) {
  Bytes bytes = filled(kEnd + kPage, 0xee);
  for (const std::uint64_t page : zero_pages)
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(page), kPage, std::byte{0});
  for (const std::uint64_t offset : offsets) set_be(bytes, offset, 7, 8);
  return bytes;
}

TEST(TableWriter, LeavesPagesWithoutEntriesAloneInAnEmptyFile) {
  const std::vector<std::uint64_t> offsets{kBegin + 8, kBegin + 16, 2 << 20, (2 << 20) + 512, kEnd - 8};
  EXPECT_TRUE(written(zeros, offsets) == expected({kBegin, 2 << 20, (2 << 20) + 512, kEnd - kPage}, offsets));
  EXPECT_TRUE(written(zeros, {}) == expected({}, {}));
}

TEST(TableWriter, WritesAllPagesOverOldData) {
  std::vector<std::uint64_t> all;
  for (std::uint64_t page = kBegin; page < kEnd; page += kPage) all.push_back(page);
  for (const std::vector<std::uint64_t>& offsets :
       {std::vector<std::uint64_t>{}, {kBegin}, {kBegin + 1000, 2 << 20, kEnd - 8}})
    EXPECT_TRUE(written(old_data, offsets) == expected(all, offsets));
}

TEST(TableWriter, WritesEachPageOnceAndManyTogether) {
  MemoryFile file;
  TableWriter writer(file, 0, zeros);
  for (std::uint64_t offset = 0; offset < 1 << 20; offset += 8) writer.set(offset, 1);
  writer.finish(1 << 20);
  EXPECT_EQ(file.writes(), 1U);
}

}  // namespace
}  // namespace e2qcow::qcow2
