// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/selection/selection.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/support/memory_file.h"
#include "tests/support/random.h"
#include "tests/support/sparse_file.h"

namespace e2qcow::ext2 {
namespace {

using enum BlockClass;
using ClassRuns = std::vector<Selection::ClassRun>;

ClassRuns sorted(ClassRuns added) {
  Selection selection;
  for (const auto& [blocks, block_class] : added) selection.add(block_class, blocks);
  return std::move(selection).sorted();
}

TEST(Selection, IsEmptyAtFirst) {
  EXPECT_EQ(sorted({}), ClassRuns{});
}

TEST(Selection, IgnoresRunsOfNothing) {
  EXPECT_EQ(sorted({{{5, 0}, data}}), ClassRuns{});
}

TEST(Selection, SortsRunsByTheirBlocks) {
  EXPECT_EQ(sorted({{{50, 5}, data}, {{10, 5}, journal}}), (ClassRuns{{{10, 5}, journal}, {{50, 5}, data}}));
}

TEST(Selection, JoinsAdjacentRuns) {
  EXPECT_EQ(sorted({{{10, 5}, data}, {{15, 5}, data}}), (ClassRuns{{{10, 10}, data}}));
}

TEST(Selection, KeepsABlockOnceInTheClassThatCountsFirst) {
  EXPECT_EQ(sorted({{{10, 1}, data}, {{10, 1}, journal}, {{10, 1}, xattrs}}),
            (ClassRuns{{{10, 1}, journal}}));
}

TEST(Selection, CutsARunAroundOneThatCountsFirst) {
  EXPECT_EQ(sorted({{{10, 10}, data}, {{13, 2}, journal}}),
            (ClassRuns{{{10, 3}, data}, {{13, 2}, journal}, {{15, 5}, data}}));
}

TEST(Selection, KeepsTheRestOfARunThatBeginsInsideOneThatCountsFirst) {
  EXPECT_EQ(sorted({{{10, 10}, journal}, {{15, 10}, data}}),
            (ClassRuns{{{10, 10}, journal}, {{20, 5}, data}}));
}

TEST(Selection, HasTheSameBytesInSmallerBlocks) {
  Selection selection;
  selection.add(data, {3, 2});
  EXPECT_EQ(selection.in_other_blocks({.from = 4096, .to = 1024}).sorted(), (ClassRuns{{{12, 8}, data}}));
}

TEST(Selection, HasTheBytesAndWhatIsAroundThemInLargerBlocks) {
  Selection selection;
  selection.add(data, {3, 2});
  selection.add(journal, {20, 4});
  EXPECT_EQ(selection.in_other_blocks({.from = 1024, .to = 4096}).sorted(),
            (ClassRuns{{{0, 2}, data}, {{5, 1}, journal}}));
}

TEST(Selection, TakesInWhatAnotherHas) {
  Selection one;
  one.add(data, {10, 5});
  Selection other;
  other.add(journal, 12);
  one.add(other);
  EXPECT_EQ(std::move(one).sorted(), (ClassRuns{{{10, 2}, data}, {{12, 1}, journal}, {{13, 2}, data}}));
}

// The first class of each block.
std::map<std::uint64_t, BlockClass> classes_of(const ClassRuns& runs) {
  std::map<std::uint64_t, BlockClass> classes;
  for (const auto& [blocks, block_class] : runs)
    for (std::uint64_t block = blocks.first; block < blocks.end(); ++block) {
      const auto [entry, is_new] = classes.try_emplace(block, block_class);
      entry->second = std::min(entry->second, block_class);
    }
  return classes;
}

TEST(Selection, IsWhatAMapOfBlocksWouldBe) {
  Random random;
  for (int round = 0; round < 500; ++round) {
    ClassRuns added;
    const std::uint64_t max_count = random.between(1, 60);
    for (std::uint64_t i = random.below(40); i > 0; --i)
      added.push_back(
          {{random.below(200), random.below(max_count)}, static_cast<BlockClass>(random.below(16))});
    const ClassRuns runs = sorted(added);
    ASSERT_EQ(classes_of(runs), classes_of(added));
    for (std::size_t i = 0; i + 1 < runs.size(); ++i)
      ASSERT_LE(runs[i].blocks.end(), runs[i + 1].blocks.first);
    for (const auto& run : runs) ASSERT_GT(run.blocks.count, 0);
  }
}

// Quadratic time would take minutes here.
TEST(Selection, TakesManyRunsThatOverlapEachOther) {
  constexpr std::uint64_t kRuns = 300'000;
  Selection selection;
  for (std::uint64_t i = 0; i < kRuns; ++i) {
    selection.add(directories, {i, kRuns});
    selection.add(journal, {2 * i, 1});
  }
  const ClassRuns runs = std::move(selection).sorted();
  std::uint64_t end = 0;
  for (const auto& run : runs) {
    ASSERT_EQ(run.blocks.first, end);
    end = run.blocks.end();
  }
  EXPECT_EQ(end, 2 * kRuns - 1);
}

SelectedExtents extents_of(const ClassRuns& runs, std::uint64_t disk_size) {
  Selection selection;
  for (const auto& [blocks, block_class] : runs) selection.add(block_class, blocks);
  return ext2::extents_of(std::move(selection).sorted(), 1024, disk_size);
}

TEST(ExtentsOf, JoinsRunsOfAllClassesAndCountsTheBytesOfEach) {
  const SelectedExtents selected =
      extents_of({{{2, 3}, journal}, {{5, 1}, data}, {{9, 2}, data}}, 100 * 1024);
  EXPECT_EQ(selected.extents, (std::vector<Extent>{{2048, 4096}, {9216, 2048}}));
  std::array<std::uint64_t, kBlockClasses> expected{};
  expected[6] = 3072;   // journal
  expected[15] = 3072;  // data
  EXPECT_EQ(selected.class_bytes, expected);
  EXPECT_EQ(selected.bytes(), 6144);
}

TEST(ExtentsOf, EndWithTheDisk) {
  const SelectedExtents selected = extents_of({{{0, 10}, data}, {{20, 1}, journal}}, 2500);
  EXPECT_EQ(selected.extents, (std::vector<Extent>{{0, 2500}}));
  EXPECT_EQ(selected.bytes(), 2500);
}

}  // namespace
}  // namespace e2qcow::ext2
