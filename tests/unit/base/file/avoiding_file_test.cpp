// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/avoiding_file.h"

#include <gtest/gtest.h>

#include "base/file/salvaging_file.h"
#include "tests/support/errors.h"
#include "tests/support/sparse_file.h"

namespace e2qcow {
namespace {

class AvoidingFileTest : public testing::Test {
 protected:
  AvoidingFileTest() { disk_.put(0, filled(16384, 0x55)); }

  SparseFile disk_{16384};
  const AvoidingFile file_{disk_, {{4608, 512}, {8192, 4096}}};
};

TEST_F(AvoidingFileTest, ReadsOutsideTheAreas) {
  Bytes bytes(512);
  file_.read(4096, bytes);
  file_.read(5120, bytes);
  file_.read(7680, bytes);
  file_.read(12288, bytes);
  EXPECT_EQ(bytes, filled(512, 0x55));
}

TEST_F(AvoidingFileTest, FailsWithoutTouchingTheAreas) {
  Bytes bytes(1024);
  for (const std::uint64_t offset : {4096, 4608, 7680, 8192, 11776})
    EXPECT_EQ(code_of([&] { file_.read(offset, bytes); }), Errc::unreadable) << offset;
  EXPECT_EQ(disk_.reads(), std::vector<Extent>{});
}

TEST_F(AvoidingFileTest, LosesNothingButTheAreasWhenSalvaged) {
  const SalvagingFile salvaged(file_, {.block_size = 4096, .retries = 3});
  Bytes bytes(16384);
  salvaged.read(0, bytes);
  Bytes expected = filled(16384, 0x55);
  std::fill_n(expected.begin() + 4608, 512, std::byte{0});
  std::fill_n(expected.begin() + 8192, 4096, std::byte{0});
  EXPECT_EQ(bytes, expected);
  EXPECT_EQ(salvaged.losses(), (std::vector<Extent>{{4608, 512}, {8192, 4096}}));
  for (const Extent& read : disk_.reads())
    EXPECT_TRUE(read.end() <= 4608 || (read.offset >= 5120 && read.end() <= 8192) || read.offset >= 12288)
        << read.offset;
}

// ddrescue leaves a hole where it has read nothing.
TEST(AvoidingFile, MayHaveDataInItsAreas) {
  SparseFile disk(16384);
  disk.put(8192, filled(512, 1));
  const AvoidingFile file(disk, {{4608, 512}, {8448, 1024}, {16000, 1 << 20}});
  EXPECT_EQ(file.next_data(0), (Extent{4608, 512}));
  EXPECT_EQ(file.next_data(4700), (Extent{4700, 420}));
  EXPECT_EQ(file.next_data(5120), (Extent{8192, 512}));
  EXPECT_EQ(file.next_data(8704), (Extent{8704, 768}));
  EXPECT_EQ(file.next_data(10000), (Extent{16000, 384}));
  EXPECT_EQ(file.next_data(16384), std::nullopt);
}

TEST(AvoidingFile, IsSalvagedInLargePieces) {
  SparseFile disk(1 << 20);
  const AvoidingFile file(disk, {{100 * 1024, 1024}});
  const SalvagingFile salvaged(file, {.block_size = 1024, .retries = 0});
  Bytes bytes(1 << 20);
  salvaged.read(0, bytes);
  salvaged.read(0, bytes);
  EXPECT_EQ(salvaged.losses(), (std::vector<Extent>{{100 * 1024, 1024}}));
  EXPECT_LE(disk.reads().size(), 2 * 2 * 10);
}

// Areas may end inside a block.
TEST_F(AvoidingFileTest, IsSalvagedInTheSameWayAgain) {
  const SalvagingFile salvaged(file_, {.block_size = 1024, .retries = 0});
  for (const std::size_t size : {16384, 1024, 16384}) {
    Bytes bytes(size);
    salvaged.read(16384 - size, bytes);
    salvaged.read(4096, std::span(bytes).first(1024));
    EXPECT_EQ(bytes[511], std::byte{0x55}) << size;
    EXPECT_EQ(bytes[512], std::byte{0}) << size;
  }
  EXPECT_EQ(salvaged.losses(), (std::vector<Extent>{{4608, 512}, {8192, 4096}}));
}

TEST_F(AvoidingFileTest, EndsTheWorkIfThatIsRequested) {
  const SalvagingFile strict(file_, {.block_size = 4096, .strict = true});
  Bytes bytes(16384);
  EXPECT_EQ(code_of([&] { strict.read(0, bytes); }), Errc::unreadable);
}

// The bytes beside a hint may also be read.
TEST(AvoidingFile, PassesNoHintOnThatIsNearAnArea) {
  constexpr std::uint64_t kArea = 1 << 20;
  constexpr std::uint64_t kMargin = File::kPrefetchMargin;
  const SparseFile disk(2 << 20);
  const AvoidingFile file(disk, {{kArea, 512}});
  file.prefetch({kArea - kMargin - 512, 513});
  file.prefetch({kArea + 511 + kMargin, 512});
  EXPECT_EQ(disk.hints(), std::vector<Extent>{});
  const std::vector<Extent> harmless{{0, 512}, {kArea - kMargin - 512, 512}, {kArea + 512 + kMargin, 512}};
  for (const Extent& range : harmless) file.prefetch(range);
  EXPECT_EQ(disk.hints(), harmless);
}

}  // namespace
}  // namespace e2qcow
