// SPDX-License-Identifier: GPL-2.0-or-later
#include "e2image_compat/block_sink.h"

#include <gtest/gtest.h>

#include "tests/support/memory_file.h"
#include "tests/support/memory_source.h"

namespace e2qcow::compat {
namespace {

constexpr std::uint32_t kBlock = 1024;

// A disk of eight blocks: data in 1, zeros in 2, data in 3; nothing in the others.
MemorySource small_disk() {
  Bytes disk(8 * kBlock);
  std::fill_n(disk.begin() + kBlock, kBlock, std::byte{1});
  std::fill_n(disk.begin() + 3 * kBlock, kBlock, std::byte{3});
  return MemorySource(disk, {{kBlock, 3 * kBlock}});
}

TEST(BlockSink, WritesZerosIfTheTargetMayHaveOtherBytes) {
  MemorySource disk = small_disk();
  MemoryFile file(filled(10 * kBlock, 'x'));
  BlockSink sink(file, {.block_size = kBlock, .offset = kBlock});
  transfer(disk, sink, {});
  EXPECT_EQ(part_of(file.data(), 2 * kBlock, kBlock), filled(kBlock, 1));
  EXPECT_EQ(part_of(file.data(), 3 * kBlock, kBlock), filled(kBlock, 0));
  EXPECT_EQ(part_of(file.data(), 0, 2 * kBlock), filled(2 * kBlock, 'x'));
  EXPECT_EQ(part_of(file.data(), 5 * kBlock, 5 * kBlock), filled(5 * kBlock, 'x'));
}

TEST(BlockSink, LeavesZerosOutOfANewFile) {
  MemorySource disk = small_disk();
  MemoryFile file(filled(8 * kBlock, 'x'));
  BlockSink sink(file, {.block_size = kBlock, .drops_zeros = true});
  transfer(disk, sink, {});
  EXPECT_EQ(part_of(file.data(), 2 * kBlock, kBlock), filled(kBlock, 'x'));
}

TEST(BlockSink, CountsBlocksThatAreThereAlready) {
  MemorySource disk = small_disk();
  MemoryFile file(filled(3 * kBlock, 0));  // ends inside the disk
  BlockSink sink(file, {.block_size = kBlock, .skips_same = true});
  transfer(disk, sink, {});
  EXPECT_EQ(sink.skipped_blocks(), 1);
  EXPECT_EQ(part_of(file.data(), 3 * kBlock, kBlock), filled(kBlock, 3));
}

}  // namespace
}  // namespace e2qcow::compat
