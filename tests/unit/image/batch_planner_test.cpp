// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/batch_planner.h"

#include <gtest/gtest.h>

#include "tests/support/memory_source.h"
#include "tests/support/sizes.h"

namespace e2qcow {
namespace {

// A disk of which nothing is read.
class ExtentsOnly : public ImageSource {
 public:
  explicit ExtentsOnly(std::vector<Extent> extents) : extents_(std::move(extents)) {}
  std::uint64_t size() const override { return extents_.empty() ? 0 : extents_.back().end(); }
  std::optional<Extent> next_extent(std::uint64_t guest_offset) const override {
    const auto found = std::ranges::upper_bound(extents_, guest_offset, {}, &Extent::end);
    if (found == extents_.end()) return std::nullopt;
    const std::uint64_t begin = std::max(found->offset, guest_offset);
    return Extent{begin, found->end() - begin};
  }
  void read(std::uint64_t, std::span<std::byte>) const override {}

 private:
  std::vector<Extent> extents_;
};

struct Plan {
  std::vector<Extent> ranges;
  std::vector<Extent> reads;
  friend bool operator==(const Plan&, const Plan&) = default;
};

std::vector<Plan> plan(const std::vector<Extent>& extents, std::uint64_t granularity) {
  ExtentsOnly source(extents);
  BatchPlanner planner(source, granularity);
  std::vector<Plan> plans;
  Batch batch;
  while (planner.next(batch)) plans.push_back({batch.ranges, batch.reads});
  return plans;
}

TEST(BatchPlanner, PlansNothingOfAnEmptyDisk) {
  EXPECT_EQ(plan({}, 512), std::vector<Plan>{});
}

TEST(BatchPlanner, ExtendsRangesToTheGranularityAndReadsOnlyTheExtent) {
  EXPECT_EQ(plan({{1000, 100}}, 512), (std::vector<Plan>{{{{512, 1024}}, {{1000, 100}}}}));
}

TEST(BatchPlanner, PutsExtentsInOneClusterIntoOneRange) {
  EXPECT_EQ(plan({{0, 10}, {20, 10}, {500, 20}}, 512),
            (std::vector<Plan>{{{{0, 1024}}, {{0, 10}, {20, 10}, {500, 12}, {512, 8}}}}));
}

TEST(BatchPlanner, KeepsRangesApartThatDoNotTouch) {
  EXPECT_EQ(plan({{0, 512}, {1024, 512}}, 512),
            (std::vector<Plan>{{{{0, 512}, {1024, 512}}, {{0, 512}, {1024, 512}}}}));
}

TEST(BatchPlanner, CutsALargeExtentIntoMebibytes) {
  EXPECT_EQ(plan({{0, 2 * kMiB + 10}}, 4096), (std::vector<Plan>{{{{0, kMiB}}, {{0, kMiB}}},
                                                                 {{{kMiB, kMiB}}, {{kMiB, kMiB}}},
                                                                 {{{2 * kMiB, 4096}}, {{2 * kMiB, 10}}}}));
}

TEST(BatchPlanner, TakesOneClusterAtATimeIfClustersAreLarger) {
  EXPECT_EQ(plan({{0, 10}, {2 * kMiB, 10}}, 2 * kMiB),
            (std::vector<Plan>{{{{0, 2 * kMiB}}, {{0, 10}}}, {{{2 * kMiB, 2 * kMiB}}, {{2 * kMiB, 10}}}}));
}

TEST(BatchPlanner, AddsToTheLastClusterOfAFullBatch) {
  const std::vector<Plan> plans = plan({{0, kMiB - 100}, {kMiB - 50, 100}}, 4096);
  ASSERT_EQ(plans.size(), 2);
  EXPECT_EQ(plans[0], (Plan{{{0, kMiB}}, {{0, kMiB - 100}, {kMiB - 50, 50}}}));
  EXPECT_EQ(plans[1], (Plan{{{kMiB, 4096}}, {{kMiB, 50}}}));
}

void expect_within_limits(const Plan& plan, std::uint64_t granularity) {
  std::uint64_t total = 0;
  for (const Extent& range : plan.ranges) {
    EXPECT_EQ(range.offset % granularity, 0);
    EXPECT_EQ(range.length % granularity, 0);
    EXPECT_GT(range.length, 0);
    total += range.length;
  }
  EXPECT_LE(total, std::max(kMiB, granularity));
  EXPECT_LE(plan.ranges.size(), 256);
}

bool is_inside_one(Extent read, const std::vector<Extent>& ranges) {
  return std::ranges::any_of(
      ranges, [&](Extent range) { return range.offset <= read.offset && read.end() <= range.end(); });
}

// Extents that touch become one.
std::vector<Extent> joined(const std::vector<Extent>& extents) {
  std::vector<Extent> joined;
  for (const Extent& extent : extents) {
    if (!joined.empty() && joined.back().end() == extent.offset)
      joined.back().length += extent.length;
    else
      joined.push_back(extent);
  }
  return joined;
}

class BatchPlannerOn : public testing::TestWithParam<std::uint64_t> {};

TEST_P(BatchPlannerOn, RandomExtentsReadsEachOfThemOnceInsideRangesInOrder) {
  const std::uint64_t granularity = GetParam();
  Random random;
  for (const std::uint64_t max_length : {10ULL, 5000ULL, 3'000'000ULL}) {
    const auto extents = random.extents(max_length * 500, 3 * max_length, max_length);
    std::vector<Extent> reads;
    std::uint64_t ranges_end = 0;
    for (const Plan& batch : plan(extents, granularity)) {
      expect_within_limits(batch, granularity);
      for (const Extent& range : batch.ranges) {
        EXPECT_GE(range.offset, ranges_end);
        ranges_end = range.end();
      }
      for (const Extent& read : batch.reads) EXPECT_TRUE(is_inside_one(read, batch.ranges));
      reads.insert(reads.end(), batch.reads.begin(), batch.reads.end());
    }
    EXPECT_EQ(joined(reads), joined(extents));
  }
}

INSTANTIATE_TEST_SUITE_P(Granularities, BatchPlannerOn, testing::Values(512, 4096, 65536, 1 << 20, 2 << 20));

TEST(Fill, PutsZerosAroundWhatIsRead) {
  MemorySource source(bytes_of({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}), {});
  Batch batch;
  batch.ranges = {{0, 4}, {8, 8}};
  batch.reads = {{1, 2}, {8, 1}, {11, 3}};
  batch.data.assign(100, std::byte{0xee});
  fill(batch, source);
  EXPECT_EQ(part_of(batch.data, 0, batch.data.size()), bytes_of({0, 2, 3, 0, 9, 0, 0, 12, 13, 14, 0, 0}));
}

TEST(Fill, BringsTheWholeDisk) {
  Random random;
  MemorySource source = MemorySource::random(random, 3 * kMiB + 123, 5000, 20000);
  BatchPlanner planner(source, 4096);
  Bytes disk(source.size() + 4096);
  Batch batch;
  while (planner.next(batch)) {
    fill(batch, source);
    auto data = batch.data.begin();
    for (const Extent& range : batch.ranges) {
      const auto length = static_cast<std::ptrdiff_t>(range.length);
      std::copy_n(data, length, disk.begin() + static_cast<std::ptrdiff_t>(range.offset));
      data += length;
    }
    EXPECT_EQ(data, batch.data.end());
  }
  disk.resize(source.size());
  EXPECT_EQ(disk, source.disk());
}

class StoredInAFile : public ExtentsOnly {
 public:
  using ExtentsOnly::ExtentsOnly;
  std::optional<File::Descriptor> stored_at(Extent range) const override {
    return File::Descriptor{7, range.offset + 1000};
  }
};

// Which pieces (of zeros dropped or compressed, as given) may be shared: the place in the file, or 0.
std::vector<std::uint64_t> shareable(const std::vector<Extent>& reads, const std::vector<Extent>& pieces,
                                     bool compressed = false) {
  const Bytes data(1 << 20);
  Batch batch;
  batch.reads = reads;
  for (const Extent& piece : pieces)
    batch.pieces.push_back({piece.offset, std::span(data).first(piece.length), compressed});
  find_shareable(batch, StoredInAFile(std::vector<Extent>{}));
  std::vector<std::uint64_t> places;
  for (const Batch::Piece& piece : batch.pieces)
    places.push_back(piece.shareable ? piece.shareable->offset : 0);
  return places;
}

using Places = std::vector<std::uint64_t>;

TEST(FindShareable, FindsWhatWasReadAsAWhole) {
  EXPECT_EQ(shareable({{0, 4096}, {8192, 8192}}, {{0, 4096}, {8192, 4096}, {12288, 4096}}),
            (Places{1000, 9192, 13288}));
}

// The source's file has contents there that were not requested; the batch has zeros.
TEST(FindShareable, LeavesOutWhatWasReadInPart) {
  EXPECT_EQ(shareable({{0, 4096}}, {{0, 65536}}), Places{0});
  EXPECT_EQ(shareable({{4096, 4096}}, {{0, 8192}}), Places{0});
  EXPECT_EQ(shareable({{0, 4096}, {4096, 4096}}, {{0, 8192}}), Places{0});
  EXPECT_EQ(shareable({}, {{0, 8192}}), Places{0});
}

TEST(FindShareable, LeavesOutWhatIsCompressed) {
  EXPECT_EQ(shareable({{0, 4096}}, {{0, 4096}}, true), Places{0});
}

}  // namespace
}  // namespace e2qcow
