// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/journal/replayed_file.h"

#include <gtest/gtest.h>

#include "base/file/data_cursor.h"
#include "base/file/salvaging_file.h"
#include "tests/support/errors.h"
#include "tests/support/memory_file.h"
#include "tests/support/sparse_file.h"

namespace e2qcow::ext2 {
namespace {

using Extents = std::vector<Extent>;

constexpr std::uint64_t kBlock = 1024;

Bytes read(const ReadableFile& file, std::uint64_t offset, std::size_t length) {
  Bytes bytes(length);
  file.read(offset, bytes);
  return bytes;
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// Ten blocks, each filled with its number.
class Replayed : public testing::Test {
 protected:
  Replayed() {
    for (std::size_t i = 0; i < 10; ++i)
      std::ranges::fill(std::span(device_.data()).subspan(i * kBlock, kBlock), static_cast<std::byte>(i));
  }
  MemoryFile device_{Bytes(10 * kBlock)};
};

TEST_F(Replayed, IsTheDeviceIfNothingIsNewer) {
  const ReplayedFile file(device_, device_, kBlock, {{5, {8, false}}});
  EXPECT_EQ(file.size(), 10 * kBlock);
  EXPECT_EQ(file.name(), device_.name());
  EXPECT_EQ(read(file, 0, 5 * kBlock), part_of(device_.data(), 0, 5 * kBlock));
  EXPECT_EQ(read(file, 6 * kBlock, 4 * kBlock), part_of(device_.data(), 6 * kBlock, 4 * kBlock));
}

TEST_F(Replayed, HasTheBlocksOfTheJournalInTheirPlaces) {
  const ReplayedFile file(device_, device_, kBlock, {{2, {8, false}}, {3, {9, false}}, {9, {0, false}}});
  EXPECT_EQ(read(file, kBlock, 3 * kBlock), filled(kBlock, 1) + filled(kBlock, 8) + filled(kBlock, 9));
  EXPECT_EQ(read(file, 9 * kBlock, kBlock), filled(kBlock, 0));
}

TEST_F(Replayed, HasThemInReadsThatBeginAndEndAnywhere) {
  const ReplayedFile file(device_, device_, kBlock, {{2, {8, false}}, {4, {9, false}}});
  const Bytes whole = read(file, 0, 10 * kBlock);
  for (const std::uint64_t begin : {0, 1, 1023, 1024, 2047, 2048, 2049, 3071, 3072, 4500})
    for (const std::size_t length : {0, 1, 2, 1023, 1024, 1025, 2048, 5000})
      EXPECT_EQ(read(file, begin, length), part_of(whole, begin, length)) << begin << "+" << length;
}

TEST_F(Replayed, GivesEscapedBlocksTheirMagicBack) {
  std::ranges::fill(std::span(device_.data()).subspan(8 * kBlock, 4), std::byte{0});
  const ReplayedFile file(device_, device_, kBlock, {{2, {8, true}}});
  EXPECT_EQ(read(file, 2 * kBlock, kBlock), bytes_of({0xc0, 0x3b, 0x39, 0x98}) + filled(kBlock - 4, 8));
  EXPECT_EQ(read(file, 2 * kBlock + 2, 4), bytes_of({0x39, 0x98, 8, 8}));
}

// A newer block lies in the journal unchanged, even if its journal block is itself to be overwritten.
TEST_F(Replayed, TakesTheJournalAsItIsOnTheDevice) {
  const ReplayedFile file(device_, device_, kBlock, {{2, {8, false}}, {8, {1, false}}});
  EXPECT_EQ(read(file, 2 * kBlock, kBlock), filled(kBlock, 8));
}

Extents data_in(const ReadableFile& file) {
  Extents extents;
  DataCursor(file).for_each_in({0, file.size()}, [&](Extent extent) { extents.push_back(extent); });
  return extents;
}

TEST(ReplayedHoles, HaveDataWhereTheJournalHasBlocks) {
  SparseFile device(100 * kBlock);
  device.put(10 * kBlock, filled(2 * kBlock, 1));
  device.put(50 * kBlock, filled(512, 1));
  const JournaledBlocks newer{{0, {90, false}},  {11, {90, false}}, {20, {90, false}},
                              {21, {90, false}}, {50, {90, false}}, {99, {90, false}}};
  EXPECT_EQ(data_in(ReplayedFile(device, device, kBlock, newer)), (Extents{{0, kBlock},
                                                                           {10 * kBlock, 2 * kBlock},
                                                                           {20 * kBlock, kBlock},
                                                                           {21 * kBlock, kBlock},
                                                                           {50 * kBlock, 512},
                                                                           {50 * kBlock + 512, 512},
                                                                           {99 * kBlock, kBlock}}));
}

TEST(ReplayedHoles, AreThoseOfTheDeviceElsewhere) {
  SparseFile device(100 * kBlock);
  const ReplayedFile file(device, device, kBlock, {{20, {90, false}}});
  EXPECT_EQ(file.next_data(20 * kBlock + 100), (Extent{20 * kBlock + 100, kBlock - 100}));
  EXPECT_EQ(file.next_data(21 * kBlock), std::nullopt);
}

TEST(ReplayedLosses, AreThoseOfTheDevice) {
  SparseFile device(100 * kBlock);
  device.put(10 * kBlock, filled(kBlock, 1));
  device.make_unreadable({10 * kBlock, kBlock});
  const SalvagingFile salvaging(device, {.block_size = kBlock});
  const ReplayedFile file(salvaging, salvaging, kBlock, {});
  read(file, 10 * kBlock, kBlock);
  EXPECT_TRUE(file.is_lost({10 * kBlock, 1}));
  EXPECT_FALSE(file.is_lost({11 * kBlock, 1}));
}

}  // namespace
}  // namespace e2qcow::ext2
