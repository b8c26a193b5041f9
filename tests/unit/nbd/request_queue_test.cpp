// SPDX-License-Identifier: GPL-2.0-or-later
// Run by ./dev tsan.
#include "nbd/request_queue.h"

#include <e2qcow/error.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/support/errors.h"

namespace e2qcow::nbd {
namespace {

using Urgency = RequestQueue::Urgency;

RequestPtr read_at(std::uint64_t offset) {
  return new_request(Request::Kind::read, {offset, 1});
}
RequestPtr write_at(std::uint64_t offset) {
  return new_request(Request::Kind::write, {offset, 1});
}

class RequestQueueTest : public testing::Test {
 protected:
  RequestQueueTest() { queue_.join(taker_); }

  // Takes and answers everything, as a server that never fails, and counts the flushes.
  void answer_all() {
    while (const RequestPtr request = queue_.take(taker_)) answer(request);
  }
  void answer(const RequestPtr& request) {
    if (request->kind == Request::Kind::flush) ++flushes_;
    kinds_.push_back(request->kind);
    queue_.answered(taker_, request, 0);
  }

  RequestQueue queue_{true};
  RequestQueue::Taker taker_;
  unsigned flushes_ = 0;
  std::vector<Request::Kind> kinds_;  // of what was answered
};

TEST_F(RequestQueueTest, WhatIsNeededNowGoesFirst) {
  const RequestPtr later = read_at(1);
  const RequestPtr now = read_at(2);
  queue_.add(later, Urgency::soon);
  queue_.add(now, Urgency::now);
  EXPECT_EQ(queue_.take(taker_), now);
  EXPECT_EQ(queue_.take(taker_), later);
  EXPECT_EQ(queue_.take(taker_), nullptr);
}

TEST_F(RequestQueueTest, WhatSomebodyWaitsForIsTakenOnce) {
  const RequestPtr read = read_at(1);
  queue_.add(read, Urgency::soon);
  std::jthread waiter([&] { queue_.wait(read); });
  RequestPtr taken;
  while (!taken) taken = queue_.take(taker_);
  queue_.answered(taker_, taken, 5);
  waiter.join();
  EXPECT_EQ(read->error, 5);
  EXPECT_EQ(queue_.take(taker_), nullptr);
}

TEST_F(RequestQueueTest, ATakerHasItsShare) {
  RequestQueue::Taker other;
  queue_.join(other);
  for (std::uint64_t i = 0; i < 100; ++i) queue_.add(read_at(i), Urgency::soon);
  std::size_t taken = 0;
  while (queue_.take(taker_)) ++taken;
  EXPECT_EQ(taken, 32U);
}

TEST_F(RequestQueueTest, ALostReadIsAskedAgainAndFewerAreUnderWay) {
  for (std::uint64_t i = 0; i < 100; ++i) queue_.add(read_at(i), Urgency::soon);
  std::vector<RequestPtr> taken;
  while (const RequestPtr read = queue_.take(taker_)) taken.push_back(read);
  ASSERT_EQ(taken.size(), 64U);
  EXPECT_TRUE(queue_.lost(taker_, taken));
  queue_.connected(taker_);
  EXPECT_EQ(queue_.take(taker_), taken.front());
  for (unsigned i = 1; i < 32; ++i) EXPECT_NE(queue_.take(taker_), nullptr);
  EXPECT_EQ(queue_.take(taker_), nullptr);
}

TEST_F(RequestQueueTest, LossesWithoutAnAnswerHaveAnEnd) {
  queue_.add(read_at(0), Urgency::now);
  unsigned losses = 0;
  while (losses < 1000) {
    const RequestPtr read = queue_.take(taker_);
    ++losses;
    if (!queue_.lost(taker_, {read})) break;
  }
  EXPECT_LT(losses, 1000U);
  const RequestPtr read = queue_.take(taker_);
  queue_.answered(taker_, read, 0);
  EXPECT_TRUE(queue_.lost(taker_, {}));
}

TEST_F(RequestQueueTest, WritesAreSafeAfterAFlush) {
  queue_.write(write_at(0));
  queue_.write(write_at(1));
  std::jthread waiter([&] { queue_.sync(); });
  while (flushes_ == 0) answer_all();
  waiter.join();
  EXPECT_TRUE(queue_.lost(taker_, {}));
  EXPECT_EQ(queue_.take(taker_), nullptr);
}

TEST_F(RequestQueueTest, WhatWasNotFlushedIsWrittenAgain) {
  const RequestPtr write = write_at(0);
  queue_.write(write);
  answer_all();
  EXPECT_TRUE(write->is_answered());
  EXPECT_TRUE(queue_.lost(taker_, {}));
  queue_.connected(taker_);
  EXPECT_EQ(queue_.take(taker_), write);
}

// The flush was for what the server has forgotten since.
TEST_F(RequestQueueTest, AFlushFromBeforeALossIsNone) {
  RequestQueue::Taker other;
  queue_.join(other);
  const RequestPtr write = write_at(0);
  queue_.write(write);
  answer_all();
  std::jthread waiter([&] { queue_.sync(); });
  RequestPtr flush;
  while (!flush) flush = queue_.take(taker_);
  ASSERT_EQ(flush->kind, Request::Kind::flush);
  EXPECT_TRUE(queue_.lost(other, {}));
  queue_.answered(taker_, flush, 0);
  EXPECT_TRUE(queue_.is_outdated(taker_));
  EXPECT_EQ(queue_.take(taker_), nullptr);
  EXPECT_TRUE(queue_.lost(taker_, {}));
  queue_.connected(taker_);
  EXPECT_EQ(queue_.take(taker_), write);
  answer(write);
  while (flushes_ == 0) answer_all();
  waiter.join();
}

// It may be from before the server was started again, and a flush of the new one does not make it safe.
TEST_F(RequestQueueTest, AnAnswerOfAnOlderConnectionIsNone) {
  RequestQueue::Taker other;
  queue_.join(other);
  const RequestPtr write = write_at(0);
  queue_.write(write);
  ASSERT_EQ(queue_.take(taker_), write);
  EXPECT_TRUE(queue_.lost(other, {}));
  queue_.connected(other);
  queue_.answered(taker_, write, 0);
  EXPECT_FALSE(write->is_answered());
  EXPECT_EQ(queue_.take(other), write);
}

TEST_F(RequestQueueTest, AWriteWaitsForOneInItsPlace) {
  queue_.write(write_at(0));
  std::jthread writer([&] { queue_.write(write_at(0)); });
  while (flushes_ == 0) answer_all();
  writer.join();
  answer_all();
  using enum Request::Kind;
  EXPECT_EQ(kinds_, (std::vector{write, flush, write}));
}

TEST_F(RequestQueueTest, AFailureIsThatOfAllCalls) {
  const RequestPtr read = read_at(0);
  queue_.add(read, Urgency::now);
  queue_.fail(std::make_exception_ptr(std::system_error(make_error_code(Errc::connection_lost))));
  EXPECT_EQ(code_of([&] { queue_.wait(read); }), Errc::connection_lost);
  EXPECT_EQ(code_of([&] { queue_.write(write_at(0)); }), Errc::connection_lost);
  EXPECT_EQ(code_of([&] { queue_.sync(); }), Errc::connection_lost);
  EXPECT_EQ(queue_.take(taker_), nullptr);
  EXPECT_TRUE(queue_.is_over());
}

TEST_F(RequestQueueTest, TheLastConnectionThatLeavesIsTheEnd) {
  RequestQueue::Taker other;
  queue_.join(other);
  const auto why = std::make_exception_ptr(std::system_error(make_error_code(Errc::connection_lost)));
  queue_.leave(other, why);
  EXPECT_FALSE(queue_.is_over());
  queue_.leave(taker_, why);
  EXPECT_TRUE(queue_.is_over());
}

TEST(RequestQueue, WithoutFlushesAnAnswerIsEnough) {
  RequestQueue queue(false);
  RequestQueue::Taker taker;
  queue.join(taker);
  queue.write(write_at(0));
  queue.answered(taker, queue.take(taker), 0);
  queue.sync();
  EXPECT_TRUE(queue.lost(taker, {}));
  EXPECT_EQ(queue.take(taker), nullptr);
}

}  // namespace
}  // namespace e2qcow::nbd
