// SPDX-License-Identifier: GPL-2.0-or-later
// Run by ./dev tsan.
#include "base/file/salvaging_file.h"

#include <gtest/gtest.h>

#include "tests/support/errors.h"
#include "tests/support/sparse_file.h"

namespace e2qcow {
namespace {

constexpr SalvagingFile::Options kBlocksOf100{.block_size = 100, .retries = 2};

// A disk of 1000 bytes of 0x55, of which some cannot be read.
class DamagedDisk : public SparseFile {
 public:
  explicit DamagedDisk(const std::vector<Extent>& damage) : SparseFile(1000) {
    put(0, filled(1000, 0x55));
    for (const Extent& range : damage) make_unreadable(range);
  }
};

Bytes read_salvaged(const ReadableFile& file, std::uint64_t offset, std::size_t count) {
  Bytes bytes = filled(count, 0xee);
  file.read(offset, bytes);
  return bytes;
}

Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes bytes;
  for (const Bytes& part : parts) bytes.insert(bytes.end(), part.begin(), part.end());
  return bytes;
}

// A disk of which nothing can be read, with this errno.
class LostDisk : public SparseFile {
 public:
  explicit LostDisk(int error) : SparseFile(1000), error_(error) {}
  void read(std::uint64_t, std::span<std::byte>) const override { fail_errno(error_, "lost: read"); }

 private:
  int error_;
};

TEST(SalvagingFile, DoesNotMistakeAMissingDeviceForAnUnreadableBlock) {
  for (const int error : {ENODEV, ENXIO, ENOMEDIUM, ENOTCONN, ECONNABORTED, ESHUTDOWN, ESTALE}) {
    const LostDisk disk(error);
    const SalvagingFile file(disk, kBlocksOf100);
    EXPECT_THROW(read_salvaged(file, 0, 100), std::system_error) << error;
    EXPECT_EQ(file.losses(), std::vector<Extent>{}) << error;
  }
  for (const int error : {EIO, ENODATA, EILSEQ, ETIMEDOUT, EREMOTEIO}) {
    const LostDisk disk(error);
    const SalvagingFile file(disk, kBlocksOf100);
    EXPECT_EQ(read_salvaged(file, 0, 100), filled(100, 0)) << error;
  }
}

TEST(SalvagingFile, ReadsAHealthyFileInOnePiece) {
  const DamagedDisk disk({});
  const SalvagingFile file(disk, kBlocksOf100);
  EXPECT_EQ(read_salvaged(file, 50, 900), filled(900, 0x55));
  EXPECT_EQ(disk.reads(), (std::vector<Extent>{{50, 900}}));
  EXPECT_EQ(file.losses(), std::vector<Extent>{});
}

TEST(SalvagingFile, GivesZerosForUnreadableBlocksAndDataForAllOthers) {
  const DamagedDisk disk({{310, 1}});
  const SalvagingFile file(disk, kBlocksOf100);
  EXPECT_EQ(read_salvaged(file, 200, 400), joined({filled(100, 0x55), filled(100, 0), filled(200, 0x55)}));
  EXPECT_EQ(file.losses(), (std::vector<Extent>{{300, 100}}));
}

TEST(SalvagingFile, CountsBlocksFromTheBeginningOfTheFileAlsoForReadsInsideThem) {
  const DamagedDisk disk({{310, 1}});
  const SalvagingFile file(disk, kBlocksOf100);
  EXPECT_EQ(read_salvaged(file, 250, 100), joined({filled(50, 0x55), filled(50, 0)}));
  EXPECT_EQ(file.losses(), (std::vector<Extent>{{300, 100}}));
}

TEST(SalvagingFile, JoinsLossesThatTouchAndSortsThem) {
  const DamagedDisk disk({{700, 1}, {100, 150}, {300, 1}, {500, 1}});
  const SalvagingFile file(disk, kBlocksOf100);
  read_salvaged(file, 600, 300);
  read_salvaged(file, 0, 600);
  EXPECT_EQ(file.losses(), (std::vector<Extent>{{100, 300}, {500, 100}, {700, 100}}));
}

TEST(SalvagingFile, TriesABlockAgainAsOftenAsItIsTold) {
  for (const unsigned retries : {0U, 1U, 5U}) {
    const DamagedDisk disk({{300, 100}});
    const SalvagingFile file(disk, {.block_size = 100, .retries = retries});
    read_salvaged(file, 200, 300);
    EXPECT_EQ(std::ranges::count(disk.reads(), Extent{300, 100}), 1 + retries);
    EXPECT_EQ(std::ranges::count(disk.reads(), Extent{200, 100}), 1);
  }
}

TEST(SalvagingFile, DoesNotTouchABadBlockAgain) {
  const DamagedDisk disk({{300, 100}});
  const SalvagingFile file(disk, kBlocksOf100);
  read_salvaged(file, 300, 100);
  const std::size_t reads = disk.reads().size();
  EXPECT_EQ(read_salvaged(file, 300, 100), filled(100, 0));
  EXPECT_EQ(read_salvaged(file, 350, 10), filled(10, 0));
  EXPECT_EQ(disk.reads().size(), reads);
}

TEST(SalvagingFile, ReadsAroundAKnownBadBlock) {
  const DamagedDisk disk({{300, 100}});
  const SalvagingFile file(disk, kBlocksOf100);
  read_salvaged(file, 300, 100);
  const std::size_t reads = disk.reads().size();
  EXPECT_EQ(read_salvaged(file, 200, 300), joined({filled(100, 0x55), filled(100, 0), filled(100, 0x55)}));
  const std::vector<Extent> later(disk.reads().begin() + static_cast<std::ptrdiff_t>(reads),
                                  disk.reads().end());
  EXPECT_EQ(later, (std::vector<Extent>{{200, 100}, {400, 100}}));
}

// Fails a number of times, then works.
class FlakyDisk : public DamagedDisk {
 public:
  explicit FlakyDisk(int failures) : DamagedDisk({}), failures_(failures) {}
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    if (failures_-- > 0) fail_errno(EIO, "flaky.img: read");
    DamagedDisk::read(offset, out);
  }

 private:
  mutable int failures_;
};

TEST(SalvagingFile, RecordsNothingIfARetryHelps) {
  const FlakyDisk disk(2);
  const SalvagingFile file(disk, kBlocksOf100);
  EXPECT_EQ(read_salvaged(file, 0, 100), filled(100, 0x55));
  EXPECT_EQ(file.losses(), std::vector<Extent>{});
}

TEST(SalvagingFile, GivesZerosPastTheEndAndRecordsThem) {
  const DamagedDisk disk({});
  const SalvagingFile file(disk, kBlocksOf100);
  EXPECT_EQ(read_salvaged(file, 900, 300), joined({filled(100, 0x55), filled(200, 0)}));
  EXPECT_EQ(file.losses(), (std::vector<Extent>{{1000, 200}}));
}

TEST(SalvagingFile, KeepsTheDataOfABlockInWhichTheFileEnds) {
  const DamagedDisk disk({});
  const SalvagingFile file(disk, {.block_size = 300});
  EXPECT_EQ(read_salvaged(file, 900, 300), joined({filled(100, 0x55), filled(200, 0)}));
  EXPECT_EQ(file.losses(), (std::vector<Extent>{{900, 300}}));
}

TEST(SalvagingFile, ThrowsTheErrorIfItIsStrict) {
  const DamagedDisk disk({{300, 1}});
  const SalvagingFile file(disk, {.block_size = 100, .strict = true});
  EXPECT_EQ(code_of([&] { read_salvaged(file, 200, 300); }), std::errc::io_error);
  EXPECT_EQ(code_of([&] { read_salvaged(file, 1000, 1); }), Errc::truncated);
  EXPECT_EQ(file.losses(), std::vector<Extent>{});
}

class InterruptedDisk : public SparseFile {
 public:
  InterruptedDisk() : SparseFile(1000) {}
  void read(std::uint64_t, std::span<std::byte>) const override { fail(Errc::interrupted, "interrupted"); }
};

TEST(SalvagingFile, DoesNotTakeARequestToStopForDamage) {
  const InterruptedDisk disk;
  const SalvagingFile file(disk, kBlocksOf100);
  EXPECT_EQ(code_of([&] { read_salvaged(file, 0, 100); }), Errc::interrupted);
  EXPECT_EQ(file.losses(), std::vector<Extent>{});
}

}  // namespace
}  // namespace e2qcow
