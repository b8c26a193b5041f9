// SPDX-License-Identifier: GPL-2.0-or-later
#include "nbd/read_cache.h"

#include <gtest/gtest.h>

namespace e2qcow::nbd {
namespace {

using Need = ReadCache::Need;
using Extents = std::vector<Extent>;

class ReadCacheTest : public testing::Test {
 protected:
  Extents asked_for(Extent range, Need need = Need::now) {
    asked_.clear();
    Extents asked;
    cache_.reads_of(range, need, [&](const RequestPtr& read) {
      asked.push_back(read->range);
      asked_.push_back(read);
    });
    return asked;
  }
  void answer_all() {
    for (const RequestPtr& read : asked_) read->state = Request::State::answered;
  }

  ReadCache cache_{{.disk_size = 100'000, .unit = 4096, .piece = 16384, .limit = 40'000}};
  std::vector<RequestPtr> asked_;
};

TEST_F(ReadCacheTest, ReadsWholeUnitsInPiecesAndToTheEndOfTheDisk) {
  EXPECT_EQ(asked_for({5000, 1}), (Extents{{4096, 4096}}));
  EXPECT_EQ(asked_for({16000, 20000}), (Extents{{12288, 4096}, {16384, 16384}, {32768, 4096}}));
  EXPECT_EQ(asked_for({99'999, 1}), (Extents{{98'304, 1696}}));
}

TEST_F(ReadCacheTest, AsksForNothingTwice) {
  asked_for({8192, 4096});
  EXPECT_EQ(asked_for({0, 16384}), (Extents{{0, 8192}, {12288, 4096}}));
  EXPECT_EQ(asked_for({0, 16384}), Extents{});
}

TEST_F(ReadCacheTest, ForgetsTheOldestThatIsAnswered) {
  asked_for({0, 16384});
  answer_all();
  asked_for({16384, 16384});
  asked_for({32768, 16384});
  EXPECT_EQ(asked_for({0, 4096}), (Extents{{0, 4096}}));
}

TEST_F(ReadCacheTest, ExpectsNoMoreThanThereIsRoomFor) {
  EXPECT_EQ(asked_for({0, 100'000}, Need::soon), (Extents{{0, 16384}, {16384, 16384}}));
  EXPECT_EQ(asked_for({50'000, 10}), (Extents{{49152, 4096}}));
}

TEST_F(ReadCacheTest, ReadsWhatWasForgottenAgain) {
  asked_for({0, 16384});
  cache_.forget({100, 10});
  EXPECT_EQ(asked_for({0, 4096}), (Extents{{0, 4096}}));
}

}  // namespace
}  // namespace e2qcow::nbd
