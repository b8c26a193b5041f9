// SPDX-License-Identifier: GPL-2.0-or-later
// Run by ./dev tsan.
#include "image/compare.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "base/extents.h"
#include "tests/support/bytes.h"
#include "tests/support/memory_source.h"
#include "tests/support/sizes.h"

namespace e2qcow {
namespace {

class FirstDifference : public testing::TestWithParam<unsigned> {
 protected:
  static std::optional<std::uint64_t> of(const ImageSource& a, const ImageSource& b) {
    const TransferOptions options{.threads = GetParam()};
    const auto found = first_difference(a, b, options);
    EXPECT_EQ(first_difference(b, a, options), found);
    return found;
  }
};
INSTANTIATE_TEST_SUITE_P(Threads, FirstDifference, testing::Values(1, 2, 5));

TEST_P(FirstDifference, IsNoneBetweenADiskAndItself) {
  Random random;
  MemorySource a = MemorySource::random(random, 8 * kMiB + 77, 100'000, 500'000);
  EXPECT_EQ(of(a, a), std::nullopt);
}

TEST_P(FirstDifference, IsTheFirstOfMany) {
  Random random;
  const MemorySource whole = MemorySource::random(random, 8 * kMiB, 100'000, 500'000);
  for (int i = 0; i < 20; ++i) {
    Bytes disk = whole.disk();
    std::uint64_t first = disk.size();
    for (int k = 0; k < 5; ++k) {
      const std::uint64_t place = random.below(disk.size());
      disk[place] ^= std::byte{1};
      first = std::min(first, place);
    }
    MemorySource a = whole;
    MemorySource b(disk, {{0, disk.size()}});
    EXPECT_EQ(of(a, b), first);
  }
}

// All bytes that differ are in units of the list, and each unit has one.
TEST_P(FirstDifference, IsTheFirstOfAllThatAreListed) {
  Random random;
  const MemorySource whole = MemorySource::random(random, 2 * kMiB + 77, 100'000, 500'000);
  Bytes disk = whole.disk();
  for (int k = 0; k < 200; ++k) disk[random.below(disk.size())] ^= std::byte{1};
  const MemorySource other(disk, {{0, disk.size()}});
  const DifferentRanges found = all_differences(whole, other, {.threads = GetParam()});
  std::vector<Extent> expected;
  for (std::uint64_t offset = 0; offset < disk.size(); offset += kDifferenceUnit) {
    const std::uint64_t length = std::min(kDifferenceUnit, disk.size() - offset);
    if (part_of(disk, offset, length) != part_of(whole.disk(), offset, length))
      add_joined(expected, {offset, length});
  }
  EXPECT_EQ(found.ranges, expected);
  EXPECT_EQ(found.first_byte, of(whole, other));
  EXPECT_FALSE(found.is_coarse);
  const DifferentRanges coarse = all_differences(whole, other, {.threads = GetParam()}, 10);
  EXPECT_TRUE(coarse.is_coarse);
  EXPECT_EQ(coarse.ranges.size(), 10U);
  EXPECT_EQ(coarse.ranges.back().end(), expected.back().end());
}

// A source of extents of a device has other bytes between them.
class Chosen : public MemorySource {
 public:
  using MemorySource::MemorySource;
  void read(std::uint64_t guest_offset, std::span<std::byte> out) const override {
    const auto extent = next_extent(guest_offset);
    ASSERT_TRUE(extent && extent->offset == guest_offset && out.size() <= extent->length);
    MemorySource::read(guest_offset, out);
  }
};

TEST_P(FirstDifference, TakesNothingFromOutsideOfExtents) {
  Chosen a(filled(3 * kMiB, 1), {{100, 1000}, {kMiB, 100'000}});
  Bytes disk(3 * kMiB);
  std::fill_n(disk.begin() + 100, 1000, std::byte{1});
  std::fill_n(disk.begin() + kMiB, 100'000, std::byte{1});
  MemorySource b(disk, {{0, disk.size()}});
  EXPECT_EQ(of(a, b), std::nullopt);
}

// Counts what is read of it.
class Counted : public MemorySource {
 public:
  using MemorySource::MemorySource;
  void read(std::uint64_t guest_offset, std::span<std::byte> out) const override {
    bytes += out.size();
    MemorySource::read(guest_offset, out);
  }
  mutable std::atomic<std::uint64_t> bytes = 0;
};

TEST_P(FirstDifference, EndsTheWorkOnceItIsFound) {
  const Counted a(filled(64 * kMiB, 1), {{0, 64 * kMiB}});
  const Counted b(filled(64 * kMiB, 2), {{0, 64 * kMiB}});
  EXPECT_EQ(first_difference(a, b, {.threads = GetParam()}), 0);
  EXPECT_LE(a.bytes, 2 * GetParam() * kMiB);  // what is in the works by then
}

TEST_P(FirstDifference, DoesNotMindHowZerosAreStored) {
  MemorySource a(Bytes(3 * kMiB), {});
  MemorySource b(Bytes(3 * kMiB), {{1000, 2 * kMiB}});
  EXPECT_EQ(of(a, b), std::nullopt);
}

TEST_P(FirstDifference, TakesTheRestOfALargerDiskForZeros) {
  MemorySource a(filled(kMiB, 1), {{0, kMiB}});
  Bytes larger = filled(kMiB, 1);
  larger.resize(2 * kMiB + 5);
  MemorySource b(larger, {{0, larger.size()}});
  EXPECT_EQ(of(a, b), std::nullopt);
  larger.back() = std::byte{1};
  MemorySource c(larger, {{0, larger.size()}});
  EXPECT_EQ(of(a, c), 2 * kMiB + 4);
}

}  // namespace
}  // namespace e2qcow
