// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/differing_writes.h"

#include <gtest/gtest.h>

#include "tests/support/bytes.h"
#include "tests/support/memory_file.h"
#include "tests/support/random.h"
#include "tests/support/sizes.h"

namespace e2qcow {
namespace {

TEST(DifferingWrites, LeavesAloneWhatIsThere) {
  Random random;
  MemoryFile file(random.bytes(3 * kMiB + 100));
  const Bytes before = file.data();
  DifferingWrites differing(file, [] { ADD_FAILURE() << "nothing changes"; });
  differing.write(0, before);
  differing.write(5000, part_of(before, 5000, 2 * kMiB));
  EXPECT_EQ(differing.written(), 0U);
  EXPECT_EQ(file.writes(), 0U);
}

TEST(DifferingWrites, WritesTheUnitsThatDiffer) {
  MemoryFile file(filled(2 * kMiB, 1));
  Bytes wanted = file.data();
  wanted[5000] = std::byte{2};
  wanted[kMiB] = std::byte{2};
  int calls = 0;
  DifferingWrites differing(file, [&] { ++calls; });
  differing.write(100, part_of(wanted, 100, wanted.size() - 100));
  EXPECT_TRUE(file.data() == wanted);
  EXPECT_EQ(differing.written(), 2 * DifferingWrites::kUnit);
  EXPECT_EQ(calls, 1);
}

TEST(DifferingWrites, WritesWhatTheCallBeforeTheFirstChangeHasChanged) {
  MemoryFile file(filled(20'000, 1));
  Bytes wanted = file.data();
  wanted[5000] = std::byte{2};
  DifferingWrites differing(file, [&] { file.write(0, Bytes(20'000)); });
  differing.write(0, wanted);
  EXPECT_TRUE(file.data() == wanted);
}

TEST(DifferingWrites, ChangeTheSizeAfterThatCall) {
  MemoryFile file(filled(20'000, 1));
  DifferingWrites differing(file, [&] { EXPECT_EQ(file.size(), 20'000U); });
  differing.resize(20'000);
  EXPECT_EQ(file.writes(), 0U);
  differing.resize(10'000);
  EXPECT_EQ(file.size(), 10'000U);
}

TEST(DifferingWrites, WritesPastTheEnd) {
  MemoryFile file(filled(1000, 1));
  DifferingWrites differing(file);
  differing.write(500, filled(9000, 1));
  EXPECT_EQ(file.data(), filled(9500, 1));
}

TEST(DifferingWrites, ClearsWhatIsNotZero) {
  Bytes bytes(kMiB);
  bytes[300'000] = std::byte{1};
  MemoryFile file(bytes);
  DifferingWrites differing(file);
  differing.zero({100, kMiB - 200}, File::Zeroing::discard);
  EXPECT_EQ(file.data(), Bytes(kMiB));
  EXPECT_EQ(differing.written(), DifferingWrites::kUnit);
}

TEST(DifferingWrites, MakeTheSameAsPlainWrites) {
  Random random;
  for (int round = 0; round < 50; ++round) {
    MemoryFile file(random.bytes(100'000));
    Bytes wanted = file.data();
    DifferingWrites differing(file);
    for (int change = 0; change < 10; ++change) {
      const std::uint64_t offset = random.below(90'000);
      const std::uint64_t length = 1 + random.below(10'000);
      const bool zero = random.below(2) == 0;
      const Bytes data = zero ? Bytes(length) : random.bytes(length);
      std::ranges::copy(data, wanted.begin() + static_cast<std::ptrdiff_t>(offset));
      if (zero)
        differing.zero({offset, length}, File::Zeroing::keep_allocated);
      else
        differing.write(offset, data);
    }
    ASSERT_TRUE(file.data() == wanted) << "round " << round;
  }
}

}  // namespace
}  // namespace e2qcow
