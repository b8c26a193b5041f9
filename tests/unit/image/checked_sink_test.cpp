// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/checked_sink.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "image/raw_sink.h"
#include "tests/support/errors.h"
#include "tests/support/memory_file.h"
#include "tests/support/memory_source.h"

namespace e2qcow {
namespace {

constexpr std::uint64_t kSize = 1 << 20;

TEST(CheckedSink, WritesTheDiskIfTheCheckFindsNothing) {
  Random random;
  const MemorySource source = MemorySource::random(random, kSize, 10'000, 10'000);
  MemoryFile target(filled(kSize, 7));
  RawSink raw(target, {.size = kSize, .overwrites = true});
  CheckedSink sink(raw, [] {});
  transfer(source, sink, {});
  EXPECT_TRUE(target.data() == source.disk());
}

// Where the superblock is.
TEST(CheckedSink, LeavesTheFrontOfADeviceEmptyIfTheCheckThrows) {
  const MemorySource source(filled(kSize, 3), {{0, kSize}});
  MemoryFile target(filled(kSize, 7));
  RawSink raw(target, {.size = kSize, .overwrites = true});
  CheckedSink sink(raw, [] { fail(Errc::wrong_digest, "wrong"); });
  EXPECT_EQ(code_of([&] { transfer(source, sink, {}); }), Errc::wrong_digest);
  EXPECT_TRUE(is_zero(std::span(target.data()).first(64 * 1024)));
}

}  // namespace
}  // namespace e2qcow
