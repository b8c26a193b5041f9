// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/read_ahead.h"

#include <gtest/gtest.h>

#include "base/extents.h"
#include "image/batch_planner.h"
#include "image/extent_source.h"
#include "tests/support/random.h"
#include "tests/support/sizes.h"
#include "tests/support/sparse_file.h"

namespace e2qcow {
namespace {

using Extents = std::vector<Extent>;

TEST(ReadAhead, AnnouncesSixteenMebibytesOneByOne) {
  const SparseFile file(100 * kMiB);
  const ExtentSource source(file, {{0, 100 * kMiB}});
  ReadAhead read_ahead(source);
  read_ahead.announce();
  ASSERT_EQ(file.hints().size(), 16);
  for (std::uint64_t i = 0; i < 16; ++i) EXPECT_EQ(file.hints()[i], (Extent{i * kMiB, kMiB}));
  read_ahead.announce();
  EXPECT_EQ(file.hints().size(), 16);
  read_ahead.passed({0, kMiB}, false);
  read_ahead.announce();
  EXPECT_EQ(file.hints().size(), 17);
  EXPECT_EQ(file.hints().back(), (Extent{16 * kMiB, kMiB}));
}

TEST(ReadAhead, Announces256ExtentsOneByOne) {
  const SparseFile file(100 * kMiB);
  Extents extents;
  for (std::uint64_t i = 0; i < 300; ++i) extents.push_back({i * 8 * kKiB, 4 * kKiB});
  const ExtentSource source(file, extents);
  ReadAhead read_ahead(source);
  read_ahead.announce();
  EXPECT_EQ(file.hints(), Extents(extents.begin(), extents.begin() + 256));
  read_ahead.passed({0, kKiB}, false);
  read_ahead.announce();
  EXPECT_EQ(file.hints().size(), 256);
  read_ahead.passed({kKiB, 3 * kKiB}, true);
  read_ahead.announce();
  EXPECT_EQ(file.hints(), Extents(extents.begin(), extents.begin() + 257));
}

TEST(ReadAhead, AnnouncesAllThatIsPlannedOnceAndBeforeItIsPlanned) {
  Random random;
  const auto extents = random.extents(200 * kMiB, 100'000, 300'000);
  const SparseFile file(200 * kMiB);
  const ExtentSource source(file, extents);
  BatchPlanner planner(source, 4 * kKiB);
  Batch batch;
  while (planner.next(batch)) EXPECT_GE(file.hints().back().end(), batch.reads.back().end());
  Extents announced;
  for (const Extent& hint : file.hints()) add_joined(announced, hint);
  EXPECT_EQ(total_length(file.hints()), total_length(extents));
  EXPECT_EQ(announced, sorted_and_joined(extents));
}

TEST(ReadAhead, IsLeftOutIfTheSourceWantsNoHints) {
  class NoHints : public ExtentSource {
   public:
    using ExtentSource::ExtentSource;
    bool wants_hints() const override { return false; }
  };
  const SparseFile file(kMiB);
  const NoHints source(file, {{0, kMiB}});
  BatchPlanner planner(source, 4 * kKiB);
  Batch batch;
  while (planner.next(batch)) {
  }
  EXPECT_EQ(file.hints(), Extents{});
}

}  // namespace
}  // namespace e2qcow
