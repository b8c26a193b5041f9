// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/read_requests.h"

#include <e2qcow/file.h>
#include <gtest/gtest.h>

#include <vector>

namespace e2qcow {
namespace {

constexpr std::uint64_t kMax = ReadRequests::kMaxBytes;
constexpr std::uint64_t kMargin = File::kPrefetchMargin;

std::vector<Extent> requests_for(const std::vector<Extent>& ranges) {
  ReadRequests requests;
  std::size_t count = 0;
  for (const Extent& range : ranges) count += requests.add(range);
  std::vector<Extent> all;
  while (!requests.empty()) all.push_back(requests.take());
  EXPECT_EQ(count, all.size());
  return all;
}

TEST(ReadRequests, CutsALongRange) {
  EXPECT_EQ(requests_for({{100, 2 * kMax + 5}}),
            (std::vector<Extent>{{100, kMax}, {100 + kMax, kMax}, {100 + 2 * kMax, 5}}));
}

TEST(ReadRequests, ReadsThroughASmallGap) {
  EXPECT_EQ(requests_for({{0, 10}, {10 + kMargin, 10}}), (std::vector<Extent>{{0, 20 + kMargin}}));
  EXPECT_EQ(requests_for({{0, 10}, {11 + kMargin, 10}}), (std::vector<Extent>{{0, 10}, {11 + kMargin, 10}}));
}

TEST(ReadRequests, JoinsWhatTouchesOrOverlapsUpToTheLimit) {
  EXPECT_EQ(requests_for({{0, 10}, {10, 10}, {15, 10}, {0, 3}}), (std::vector<Extent>{{0, 25}}));
  EXPECT_EQ(requests_for({{0, kMax - 10}, {kMax - 10, 30}}), (std::vector<Extent>{{0, kMax}, {kMax, 20}}));
  EXPECT_EQ(requests_for({{0, kMax}, {kMax, 10}}), (std::vector<Extent>{{0, kMax}, {kMax, 10}}));
}

TEST(ReadRequests, DoesNotGrowBackwardsNorWithNothing) {
  EXPECT_EQ(requests_for({{100, 10}, {90, 10}}), (std::vector<Extent>{{100, 10}, {90, 10}}));
  EXPECT_EQ(requests_for({{0, 0}}), std::vector<Extent>{});
}

TEST(ReadRequests, DoesNotGrowOnceItIsTaken) {
  ReadRequests requests;
  requests.add({0, 10});
  requests.take();
  EXPECT_EQ(requests.add({10, 10}), 1U);
  EXPECT_EQ(requests.take(), (Extent{10, 10}));
}

TEST(ReadRequests, ForgetsWhatIsTooMuch) {
  const std::vector<Extent> requests =
      requests_for({{0, (ReadRequests::kMaxCount + 3) * kMax}, {~0ULL - 10, 5}});
  EXPECT_EQ(requests.size(), ReadRequests::kMaxCount);
  EXPECT_EQ(requests.back(), (Extent{(ReadRequests::kMaxCount - 1) * kMax, kMax}));
}

}  // namespace
}  // namespace e2qcow
