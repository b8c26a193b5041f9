// SPDX-License-Identifier: GPL-2.0-or-later
// Run by ./dev tsan.
#include "base/process/background_queue.h"

#include <gtest/gtest.h>

#include <latch>
#include <vector>

namespace e2qcow {
namespace {

TEST(BackgroundQueue, DoesOnePieceAfterTheOther) {
  std::vector<std::uint64_t> done;
  std::latch all(3);
  BackgroundQueue queue(
      [&](std::uint64_t piece) {
        done.push_back(piece);
        all.count_down();
      },
      10);
  for (const std::uint64_t piece : {3, 1, 2}) queue.add(piece);
  all.wait();
  EXPECT_EQ(done, (std::vector<std::uint64_t>{3, 1, 2}));
}

TEST(BackgroundQueue, DropsPiecesThatAreTooManyOrWaitWhenItStops) {
  std::vector<std::uint64_t> done;
  std::latch begun(1);
  std::latch go_on(1);
  {
    BackgroundQueue queue(
        [&](std::uint64_t piece) {
          done.push_back(piece);
          begun.count_down();
          go_on.wait();
        },
        2);
    queue.add(1);
    begun.wait();
    for (const std::uint64_t piece : {2, 3, 4}) queue.add(piece);
    std::jthread stopping([&] { queue.stop(); });
    go_on.count_down();
  }
  ASSERT_FALSE(done.empty());
  EXPECT_EQ(done[0], 1);
  EXPECT_LE(done.size(), 3U);
}

TEST(BackgroundQueue, StartsAgainAfterAStop) {
  std::latch done(1);
  BackgroundQueue queue(
      [&](std::uint64_t piece) {
        if (piece == 2) done.count_down();
      },
      10);
  queue.add(1);
  queue.stop();
  queue.add(2);
  done.wait();
}

}  // namespace
}  // namespace e2qcow
