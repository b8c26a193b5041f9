// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/pipe_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/bytes.h"
#include "tests/support/random.h"
#include "tests/support/sizes.h"

namespace e2qcow {
namespace {

Bytes read_from(const PipeBuffer& buffer, std::uint64_t offset, std::size_t length) {
  Bytes out = filled(length, 0xee);
  buffer.read(offset, out);
  return out;
}

TEST(PipeBuffer, IsEmptyAtFirst) {
  const PipeBuffer buffer;
  EXPECT_EQ(buffer.size(), 0);
  EXPECT_EQ(read_from(buffer, 0, 0), Bytes());
}

// Random data with stretches of zeros, in pieces of any size. The memory is enough, runs out in between, or
// is none at all.
class PipeBufferWith : public testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Memory, PipeBufferWith, testing::Values(64 << 20, 200 * kKiB, 0));

TEST_P(PipeBufferWith, ReadsBackWhatWasAppended) {
  Random random;
  Bytes all;
  PipeBuffer buffer(GetParam());
  while (all.size() < 2000 * kKiB) {
    const std::size_t length = random.below(100'000);
    const Bytes piece = random.below(2) == 0 ? Bytes(length) : random.bytes(length);
    buffer.append(piece);
    all.insert(all.end(), piece.begin(), piece.end());
    ASSERT_EQ(buffer.size(), all.size());
  }
  EXPECT_TRUE(read_from(buffer, 0, all.size()) == all);
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t offset = random.below(all.size());
    const std::size_t length = random.below(all.size() - offset) + 1;
    ASSERT_TRUE(read_from(buffer, offset, length) == part_of(all, offset, length)) << offset << "+" << length;
  }
}

TEST_P(PipeBufferWith, ReadsZerosAtItsEnd) {
  PipeBuffer buffer(GetParam());
  buffer.append(filled(100 * kKiB, 1));
  buffer.append(Bytes(300 * kKiB));
  EXPECT_EQ(read_from(buffer, 100 * kKiB - 1, 2), bytes_of({1, 0}));
  EXPECT_EQ(read_from(buffer, 400 * kKiB - 3, 3), bytes_of({0, 0, 0}));
}

TEST_P(PipeBufferWith, SpillsToAFileThatWasOpenedBefore) {
  PipeBuffer buffer(GetParam());
  buffer.prepare_to_spill();
  buffer.append(filled(300 * kKiB, 7));
  buffer.append(filled(300 * kKiB, 8));
  EXPECT_EQ(read_from(buffer, 300 * kKiB - 2, 4), bytes_of({7, 7, 8, 8}));
}

}  // namespace
}  // namespace e2qcow
