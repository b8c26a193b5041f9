// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/overlay/overlay.h"

#include <gtest/gtest.h>

#include "qcow2/check/checker.h"
#include "qcow2/overlay/overlay_format.h"
#include "qcow2/read/chain.h"
#include "tests/support/errors.h"
#include "tests/support/hand_made_image.h"
#include "tests/support/memory_file.h"
#include "tests/support/memory_source.h"
#include "tests/unit/qcow2/overlay/overlay_cluster.h"

namespace e2qcow::qcow2 {
namespace {

constexpr std::uint64_t kDiskSize = 5 << 20;
constexpr std::uint64_t kBlock = 1024;  // what programs write
constexpr auto kDurability = Durability::synced;

// A disk with data in its second quarter.
MemorySource make_below(std::uint64_t size = kDiskSize) {
  Bytes disk(size);
  std::fill_n(disk.begin() + static_cast<std::ptrdiff_t>(size / 4), size / 4, std::byte{0xbb});
  return {disk, {{size / 4, size / 4}}};
}

void make_overlay(MemoryFile& file, std::uint64_t size = kDiskSize) {
  create_overlay(file, {"base.qcow2", size});
}

// Changes the disk, and what it should be.
struct Changed {
  Overlay& overlay;
  Bytes& expected;
  void write(std::uint64_t offset, const Bytes& data) {
    overlay.write(offset, data);
    std::ranges::copy(data, expected.begin() + static_cast<std::ptrdiff_t>(offset));
  }
  void zero(std::uint64_t offset, std::uint64_t length) {
    overlay.zero({offset, length});
    std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(offset), length, std::byte{0});
  }
};

Bytes contents(Overlay& overlay) {
  Bytes disk = filled(overlay.size(), 0xee);
  overlay.read(0, disk);
  return disk;
}

void expect_clean(const MemoryFile& file) {
  const CheckResult result = check(file);
  EXPECT_EQ(result.corruptions, 0) << result.messages.front();
  EXPECT_EQ(result.leaks, 0) << result.messages.front();
}

TEST(Overlay, ReadsWhatIsBelowUntilItIsChanged) {
  MemorySource below = make_below();
  MemoryFile file;
  make_overlay(file);
  expect_clean(file);
  Overlay overlay(file, below, kDurability);
  EXPECT_EQ(contents(overlay), below.disk());
}

TEST(Overlay, NamesItsBackingFileAndItsFormat) {
  MemoryFile file;
  make_overlay(file);
  const Reader reader(file);
  EXPECT_EQ(reader.backing_file_name(), "base.qcow2");
  ASSERT_EQ(reader.extensions().size(), 1U);
  EXPECT_EQ(reader.extensions()[0].type, kBackingFormat);
  EXPECT_EQ(reader.extensions()[0].data, text_bytes("qcow2"));
}

TEST(Overlay, KeepsTheRestOfAClusterOfWhichAPartIsWritten) {
  MemorySource below = make_below();
  Bytes expected = below.disk();
  MemoryFile file;
  make_overlay(file);
  Overlay overlay(file, below, kDurability);
  Changed changed{overlay, expected};
  changed.write(kDiskSize / 4 + 100, filled(50, 1));
  changed.write(kDiskSize / 4 + 2 * kOverlayCluster - 10, filled(20, 2));  // parts of two
  changed.write(kDiskSize / 4 + 3 * kOverlayCluster + 1, filled(3 * kOverlayCluster, 3));
  changed.write(kDiskSize / 4 + 110, filled(5, 4));  // again
  EXPECT_EQ(contents(overlay), expected);
  overlay.flush();
  expect_clean(file);
}

TEST(Overlay, IsContinuedIfItWasFlushed) {
  MemorySource below = make_below();
  Bytes expected = below.disk();
  MemoryFile file;
  make_overlay(file);
  for (int round = 1; round < 6; ++round) {
    Overlay overlay(file, below, kDurability);
    EXPECT_EQ(contents(overlay), expected);
    Changed changed{overlay, expected};
    changed.write(round * 1'000'000 - 700, filled(9000, round));
    changed.zero(round * 500'000 + 20'000, 30'000);
    overlay.flush();
    expect_clean(file);
  }
}

TEST(Overlay, ReadsTheSameAsAChainOfImages) {
  HandMadeImage base;  // of 64 KiB
  base.add_data(3, 7);
  const MemoryFile base_file(base.bytes);
  Reader base_reader(base_file);
  Chain base_chain({&base_reader}, nullptr);
  MemoryFile file;
  make_overlay(file, HandMadeImage::kDiskSize);
  Overlay overlay(file, base_chain, kDurability);
  overlay.write(1000, filled(5000, 9));
  overlay.zero({40'000, 10'000});
  overlay.flush();
  Reader reader(file);
  Chain chain({&reader, &base_reader}, nullptr);
  Bytes disk = filled(HandMadeImage::kDiskSize, 0xee);
  chain.read(0, disk);
  EXPECT_EQ(disk, contents(overlay));
  EXPECT_EQ(disk[1000], std::byte{9});
}

TEST(Overlay, ZeroTakesNoRoomIfTheDiskIsZeroAlready) {
  MemorySource below = make_below();
  MemoryFile file;
  make_overlay(file);
  Overlay overlay(file, below, kDurability);
  const std::uint64_t size = file.size();
  overlay.zero({0, kDiskSize / 4});
  overlay.zero({kDiskSize / 2 + 5, kDiskSize / 2 - 5});
  overlay.flush();
  EXPECT_EQ(file.size(), size);
  EXPECT_EQ(contents(overlay), below.disk());
}

TEST(Overlay, ZeroHidesOldDataAlsoInPartsOfClusters) {
  MemorySource below = make_below();
  Bytes expected = below.disk();
  MemoryFile file;
  make_overlay(file);
  Overlay overlay(file, below, kDurability);
  Changed changed{overlay, expected};
  changed.write(kDiskSize / 4, filled(10 * kOverlayCluster, 5));
  changed.zero(kDiskSize / 4 + 100, 5 * kOverlayCluster);
  changed.zero(kDiskSize / 4 + 20 * kOverlayCluster - 3, 9 * kOverlayCluster);
  changed.write(kDiskSize / 4 + 2 * kOverlayCluster + 17, filled(10, 6));  // in a cluster that was zeroed
  changed.write(kDiskSize / 4 + 3 * kOverlayCluster, filled(kOverlayCluster, 7));
  EXPECT_EQ(contents(overlay), expected);
  overlay.flush();
  expect_clean(file);
  Overlay again(file, below, kDurability);
  EXPECT_EQ(contents(again), expected);
}

TEST(Overlay, HasTheLastClusterOfADiskThatEndsInsideOfIt) {
  const std::uint64_t size = kDiskSize + 512;
  MemorySource below = make_below(size);
  Bytes expected = below.disk();
  MemoryFile file;
  make_overlay(file, size);
  Overlay overlay(file, below, kDurability);
  Changed changed{overlay, expected};
  changed.write(size - 512, filled(512, 3));
  changed.write(size - 100, filled(100, 4));
  EXPECT_EQ(contents(overlay), expected);
  changed.zero(size - 512, 512);
  EXPECT_EQ(contents(overlay), expected);
  overlay.flush();
  expect_clean(file);
}

// With 4 KiB clusters, 2048 of them have one refcount block: 8 MiB.
TEST(Overlay, GrowsOverSeveralRefcountBlocksAndL2Tables) {
  const std::uint64_t size = 24 << 20;
  MemorySource below = make_below(size);
  Bytes expected = below.disk();
  MemoryFile file;
  make_overlay(file, size);
  Overlay overlay(file, below, kDurability);
  Changed changed{overlay, expected};
  for (std::uint64_t offset = 0; offset < size; offset += 3 << 20)
    changed.write(offset, filled(3 << 20, static_cast<int>(offset >> 20) + 1));
  EXPECT_EQ(contents(overlay), expected);
  overlay.flush();
  EXPECT_GT(file.size(), size);
  expect_clean(file);
  Overlay again(file, below, kDurability);
  EXPECT_EQ(contents(again), expected);
}

// Blocks as a program writes them, with flushes in between; `flushed` is what must not be lost.
void change_and_flush(Overlay& overlay, const Bytes& start, Bytes& flushed) {
  Bytes expected = start;
  Changed changed{overlay, expected};
  for (int round = 0; round < 4; ++round) {
    changed.write(round * 1'200'000 + 1024, filled(1024, round + 1));
    changed.write(round * 1'200'000 + 3 * kOverlayCluster, filled(3 * kOverlayCluster, round + 2));
    changed.zero(kDiskSize / 4 + round * 2 * kOverlayCluster, kOverlayCluster);
    overlay.flush();
    flushed = expected;
  }
}

// A program that is killed has done all writes before and none after; that is what failing ones look like.
TEST(Overlay, LosesNothingThatWasFlushedWhereverItIsKilled) {
  MemorySource below = make_below();
  bool finished = false;
  for (std::uint64_t kill_at = 0; !finished; ++kill_at) {
    MemoryFile file;
    make_overlay(file);
    Bytes flushed = below.disk();
    file.fail_at_write(kill_at);
    try {
      Overlay overlay(file, below, kDurability);
      change_and_flush(overlay, below.disk(), flushed);
      finished = true;
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code().value(), EIO);
    }
    MemoryFile left(file.data());
    ASSERT_EQ(check(left).corruptions, 0) << "killed at write " << kill_at << ": " << check(left).messages[0];
    Overlay again(left, below, kDurability);
    const Bytes now = contents(again);
    // All writes of a round go to other blocks than those before.
    for (std::size_t i = 0; i < now.size(); i += kBlock) {
      const Bytes expected = part_of(flushed, i, kBlock);
      ASSERT_TRUE(part_of(now, i, kBlock) == expected || part_of(below.disk(), i, kBlock) == expected)
          << "killed at write " << kill_at << ": guest offset " << i;
    }
    Bytes ignored;
    change_and_flush(again, below.disk(), ignored);
    ASSERT_EQ(check(left).corruptions, 0) << "continued after write " << kill_at;
  }
}

TEST(Overlay, SyncsWhatTablesReferToBeforeThem) {
  class Order : public MemoryFile {
   public:
    void sync() override {
      MemoryFile::sync();
      synced = data();
    }
    Bytes synced;
  };
  MemorySource below = make_below();
  Order file;
  create_overlay(file, {"base.qcow2", kDiskSize});
  Overlay overlay(file, below, kDurability);
  overlay.write(0, filled(kOverlayCluster, 1));
  overlay.flush();
  EXPECT_EQ(file.synced, file.data());
}

TEST(Overlay, RefusesWhatItCannotContinue) {
  MemorySource below = make_below(HandMadeImage::kDiskSize);
  HandMadeImage damaged;
  damaged.set_refcount(4, 0);
  MemoryFile damaged_file(damaged.bytes);
  EXPECT_EQ(code_of([&] { Overlay(damaged_file, below, kDurability); }), Errc::corrupt);
  HandMadeImage version2(2);
  MemoryFile version2_file(version2.bytes);
  EXPECT_EQ(code_of([&] { Overlay(version2_file, below, kDurability); }), Errc::unsupported);
  MemoryFile other_size;
  make_overlay(other_size);
  EXPECT_EQ(code_of([&] { Overlay(other_size, below, kDurability); }), Errc::refused);
}

TEST(PlanOverlay, HasSmallClustersAndASmallL1Table) {
  EXPECT_EQ(plan_overlay(1 << 20).geometry.cluster_bits, 12U);
  EXPECT_EQ(plan_overlay(256ULL << 30).geometry.cluster_bits, 12U);
  EXPECT_EQ(plan_overlay((256ULL << 30) + 1).geometry.cluster_bits, 13U);
  EXPECT_EQ(plan_overlay(64ULL << 40).geometry.cluster_bits, 16U);
  EXPECT_EQ(plan_overlay(1ULL << 60).geometry.cluster_bits, 21U);
}

TEST(CreateOverlay, RefusesNamesThatAreTooLongForAnImage) {
  MemoryFile file;
  EXPECT_EQ(code_of([&] { create_overlay(file, {std::string(1024, 'x'), kDiskSize}); }), Errc::refused);
  create_overlay(file, {std::string(1023, 'x'), kDiskSize});
  expect_clean(file);
}

}  // namespace
}  // namespace e2qcow::qcow2
