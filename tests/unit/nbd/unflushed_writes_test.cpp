// SPDX-License-Identifier: GPL-2.0-or-later
#include "nbd/unflushed_writes.h"

#include <gtest/gtest.h>

namespace e2qcow::nbd {
namespace {

RequestPtr write_at(std::uint64_t offset, std::uint64_t length) {
  return new_request(Request::Kind::write, {offset, length});
}

TEST(UnflushedWrites, KnowWhatOverlapsThem) {
  UnflushedWrites writes;
  writes.add(write_at(100, 10));
  writes.add(new_request(Request::Kind::zero, {200, 1000}));
  EXPECT_EQ(writes.bytes(), 10U);
  for (const Extent range : {Extent{90, 11}, {109, 1}, {0, 1000}, {1199, 10}})
    EXPECT_TRUE(writes.overlaps(range));
  for (const Extent range : {Extent{90, 10}, {110, 90}, {1200, 10}}) EXPECT_FALSE(writes.overlaps(range));
}

TEST(UnflushedWrites, AreForgottenWhenTheyAreSafe) {
  UnflushedWrites writes;
  const RequestPtr first = write_at(0, 10);
  writes.add(first);
  writes.add(write_at(10, 10));
  first->state = Request::State::answered;
  EXPECT_FALSE(writes.is_being_written({0, 10}));
  EXPECT_TRUE(writes.is_being_written({0, 11}));
  EXPECT_EQ(writes.answered(), std::vector{first});
  writes.forget(writes.answered());
  EXPECT_FALSE(writes.overlaps({0, 10}));
  EXPECT_EQ(writes.count(), 1U);
  EXPECT_EQ(writes.bytes(), 10U);
}

}  // namespace
}  // namespace e2qcow::nbd
