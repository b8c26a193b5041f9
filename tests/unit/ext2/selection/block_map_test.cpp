// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/selection/block_map.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/ext2_image.h"
#include "tests/support/extent_nodes.h"

namespace e2qcow::ext2 {
namespace {

using enum BlockClass;
using Entries = std::vector<Findings::Entry>;
using Runs = std::vector<BlockRun>;

constexpr std::uint64_t kFileInode = 12;
constexpr bool kUsesExtents = true;
constexpr bool kUsesPointers = false;

// Follows the maps of inodes on a disk of 2000 blocks of 1 KiB.
class BlockMap : public testing::Test {
 protected:
  explicit BlockMap(std::uint64_t blocks = 2000) : image_(1024, blocks) {}

  void follow(Bytes map, bool uses_extents, std::optional<BlockClass> contents,
              bool first_block_alone = false) {
    map.resize(60);
    maps_.push_back({map, uses_extents, std::nullopt});
    if (contents) maps_.back().contents = {*contents, first_block_alone};
  }
  // After all blocks and maps are there.
  void walk() {
    const Filesystem filesystem = image_.open();
    Selection selection;
    BlockMapWalk walk(filesystem, selection, findings_);
    for (const auto& [map, uses_extents, contents] : maps_) walk.add(kFileInode, map, uses_extents, contents);
    walk.finish();
    runs_ = std::move(selection).sorted();
  }
  Runs runs(BlockClass block_class) const { return runs_of(runs_, block_class); }
  std::set<BlockClass> classes() const {
    std::set<BlockClass> classes;
    for (const auto& run : runs_) classes.insert(run.block_class);
    return classes;
  }
  std::int64_t reads_of(std::uint64_t block) const {
    return std::ranges::count(image_.disk.reads(), Extent{block * 1024, 1024});
  }

  struct Map {
    Bytes bytes;
    bool uses_extents;
    std::optional<BlockMapWalk::Contents> contents;
  };
  Ext2Image image_;
  std::vector<Map> maps_;
  Findings findings_;
  std::vector<Selection::ClassRun> runs_;
};

TEST_F(BlockMap, SelectsTheExtentsOfAnInodeWhoseContentsMatter) {
  follow(extent_leaf({{100, 10}, {300, 1}}), kUsesExtents, directories);
  walk();
  EXPECT_EQ(runs(directories), (Runs{{100, 10}, {300, 1}}));
  EXPECT_EQ(classes(), std::set{directories});
  EXPECT_EQ(findings_.total(), 0);
}

TEST_F(BlockMap, SelectsNothingOfAnInodeWhoseContentsDoNotMatter) {
  follow(extent_leaf({{100, 10}, {300, 1}}), kUsesExtents, std::nullopt);
  walk();
  EXPECT_EQ(runs_.size(), 0);
  EXPECT_EQ(findings_.total(), 0);
}

TEST_F(BlockMap, TakesLongerExtentsForUnwrittenOnes) {
  follow(extent_leaf({{100, 32768 + 5}}), kUsesExtents, data);
  walk();
  EXPECT_EQ(runs(data), (Runs{{100, 5}}));
}

TEST_F(BlockMap, SelectsTheNodesOfATreeAndWhatTheyMap) {
  image_.put_block(50, extent_leaf({{100, 10}}));
  image_.put_block(60, extent_leaf({{200, 20}}));
  follow(extent_index(1, {50, 60}), kUsesExtents, directories);
  walk();
  EXPECT_EQ(runs(extent_trees), (Runs{{50, 1}, {60, 1}}));
  EXPECT_EQ(runs(directories), (Runs{{100, 10}, {200, 20}}));
  EXPECT_EQ(findings_.total(), 0);
}

TEST_F(BlockMap, SelectsLeavesWithoutReadingThemIfContentsDoNotMatter) {
  image_.put_block(50, extent_index(1, {60}));
  image_.put_block(60, extent_leaf({{200, 20}}));
  follow(extent_index(2, {50}), kUsesExtents, std::nullopt);
  walk();
  EXPECT_EQ(runs(extent_trees), (Runs{{50, 1}, {60, 1}}));
  EXPECT_EQ(classes(), std::set{extent_trees});
  EXPECT_EQ(reads_of(50), 1);
  EXPECT_EQ(reads_of(60), 0);
}

TEST_F(BlockMap, FollowsTreesOfDepth5) {
  for (std::uint64_t depth = 1; depth <= 4; ++depth)
    image_.put_block(50 + depth, extent_index(depth, {49 + depth}));
  image_.put_block(50, extent_leaf({{100, 10}}));
  follow(extent_index(5, {54}), kUsesExtents, directories);
  walk();
  EXPECT_EQ(runs(extent_trees), (Runs{{50, 5}}));
  EXPECT_EQ(runs(directories), (Runs{{100, 10}}));
  EXPECT_EQ(findings_.total(), 0);
}

// libext2fs follows what ext4 never makes.
TEST_F(BlockMap, FollowsTreesThatAreTooDeep) {
  for (std::uint64_t depth = 1; depth <= 30; ++depth)
    image_.put_block(50 + depth, extent_index(depth, {49 + depth}));
  image_.put_block(50, extent_leaf({{100, 10}}));
  follow(extent_index(31, {80}), kUsesExtents, directories);
  walk();
  EXPECT_EQ(runs(extent_trees), (Runs{{50, 31}}));
  EXPECT_EQ(runs(directories), (Runs{{100, 10}}));
}

TEST_F(BlockMap, SelectsOnlyTheFirstBlockIfMoreDoesNotMatter) {
  follow(extent_leaf({{100, 10}, {300, 1}}), kUsesExtents, directories, true);
  follow(pointers({400, 401, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 500}), kUsesPointers, directories, true);
  image_.put_block(500, pointers({600, 601}));
  image_.put_block(50, extent_leaf({{700, 3}, {710, 2}}));
  image_.put_block(60, extent_leaf({{800, 3}}));
  follow(extent_index(1, {50, 60}), kUsesExtents, directories, true);
  walk();
  EXPECT_EQ(runs(directories), (Runs{{100, 1}, {400, 1}, {700, 1}}));
  EXPECT_EQ(runs(extent_trees), (Runs{{50, 1}, {60, 1}}));
  EXPECT_EQ(runs(indirect_blocks), (Runs{{500, 1}}));
}

// Its leaf is a node of many levels then, as libext2fs takes it.
TEST_F(BlockMap, FollowsATreeWhoseDepthDoesNotFitItsNodes) {
  image_.put_block(50, extent_index(1, {51}));
  image_.put_block(51, extent_leaf({{100, 10}}));
  for (const std::uint64_t depth : {32, 100, 65535}) {
    follow(extent_index(depth, {50}), kUsesExtents, directories);
    walk();
    EXPECT_EQ(runs(extent_trees).front(), (BlockRun{50, 2})) << depth;
    EXPECT_EQ(runs(directories), Runs{}) << depth;
    EXPECT_GE(findings_.summary()[Finding::bad_extent_node].count, 1) << depth;
  }
}

TEST_F(BlockMap, SelectsANodeWithoutMagicAndDoesNotFollowIt) {
  Bytes node = extent_leaf({{100, 10}});
  set_le(node, 0, 0xf30b, 2);
  image_.put_block(50, node);
  follow(extent_index(1, {50}), kUsesExtents, directories);
  walk();
  EXPECT_EQ(runs(extent_trees), (Runs{{50, 1}}));
  EXPECT_EQ(runs(directories), Runs{});
  EXPECT_EQ(findings_.entries(), (Entries{{Finding::bad_extent_node, kFileInode, 50}}));
}

// As libext2fs does, which believes only the depth of the root.
TEST_F(BlockMap, FollowsANodeOfTheWrongDepthAndNotesIt) {
  Bytes leaf = extent_leaf({{100, 10}});
  Bytes index = extent_index(1, {60});
  for (const std::uint64_t depth : {1, 2, 7, 65535}) {
    set_le(leaf, 6, depth, 2);
    set_le(index, 6, depth + 1, 2);
    image_.put_block(50, index);
    image_.put_block(60, leaf);
    maps_.clear();
    follow(extent_index(2, {50}), kUsesExtents, directories);
    walk();
    EXPECT_EQ(runs(extent_trees), (Runs{{50, 1}, {60, 1}})) << depth;
    EXPECT_EQ(runs(directories), (Runs{{100, 10}})) << depth;
    EXPECT_EQ(findings_.entries(), (Entries{{Finding::bad_extent_node, kFileInode, 50},
                                            {Finding::bad_extent_node, kFileInode, 60}}));
  }
}

TEST_F(BlockMap, EndsIfATreeIsALoop) {
  image_.put_block(50, extent_index(1, {50, 51}));
  image_.put_block(51, extent_index(1, {50, 51}));
  follow(extent_index(2, {50}), kUsesExtents, directories);
  walk();
  EXPECT_EQ(runs(extent_trees), (Runs{{50, 2}}));
  EXPECT_LE(reads_of(50), 2);
  EXPECT_EQ(findings_.summary()[Finding::bad_extent_node].count, 2);
}

TEST_F(BlockMap, FollowsNoMoreEntriesThanFitIntoANode) {
  Bytes node = extent_leaf(std::vector<LeafEntry>(84, {100, 10}));
  image_.put_block(50, node);
  set_le(node, 2, 85, 2);
  image_.put_block(60, node);
  follow(extent_index(1, {50, 60}), kUsesExtents, directories);
  walk();
  EXPECT_EQ(runs(directories), (Runs{{100, 10}}));
  EXPECT_EQ(findings_.entries(), (Entries{{Finding::bad_extent_node, kFileInode, 60}}));
}

TEST_F(BlockMap, FollowsNoMoreEntriesThanFitIntoAnInode) {
  follow(extent_leaf({{100, 1}, {200, 1}, {300, 1}, {400, 1}}), kUsesExtents, directories);
  Bytes too_many = extent_leaf({{500, 1}, {600, 1}, {700, 1}, {800, 1}});
  set_le(too_many, 2, 5, 2);
  follow(too_many, kUsesExtents, directories);
  walk();
  EXPECT_EQ(runs(directories), (Runs{{100, 1}, {200, 1}, {300, 1}, {400, 1}}));
  EXPECT_EQ(findings_.entries(), (Entries{{Finding::bad_extent_node, kFileInode, 0}}));
}

TEST_F(BlockMap, NotesExtentsOutsideTheFileSystemAndSelectsWhatIsInside) {
  follow(extent_leaf({{1990, 20}, {2000, 1}, {(1ULL << 32) + 100, 1}}), kUsesExtents, directories);
  walk();
  EXPECT_EQ(runs(directories), (Runs{{1990, 10}}));
  EXPECT_EQ(findings_.entries(), (Entries{{Finding::block_out_of_range, kFileInode, 1990},
                                          {Finding::block_out_of_range, kFileInode, 2000},
                                          {Finding::block_out_of_range, kFileInode, (1ULL << 32) + 100}}));
}

TEST_F(BlockMap, NotesNodesOutsideTheFileSystemAndDoesNotReadThem) {
  follow(extent_index(1, {0, 2000, (1ULL << 40) + 50}), kUsesExtents, directories);
  walk();
  EXPECT_EQ(runs_.size(), 0);
  EXPECT_EQ(findings_.entries(), (Entries{{Finding::block_out_of_range, kFileInode, 0},
                                          {Finding::block_out_of_range, kFileInode, 2000},
                                          {Finding::block_out_of_range, kFileInode, (1ULL << 40) + 50}}));
}

TEST_F(BlockMap, ReadsANodeOfSeveralInodesOnce) {
  image_.put_block(50, extent_leaf({{100, 10}}));
  follow(extent_index(1, {50}), kUsesExtents, directories);
  follow(extent_index(1, {50}), kUsesExtents, directories);
  walk();
  EXPECT_EQ(reads_of(50), 1);
}

TEST_F(BlockMap, ReadsNodesInTheOrderOfTheDisk) {
  for (const std::uint64_t block : {70, 50, 60}) {
    image_.put_block(block, extent_leaf({{100, 10}}));
    follow(extent_index(1, {block}), kUsesExtents, directories);
  }
  walk();
  const auto& reads = image_.disk.reads();
  ASSERT_GE(reads.size(), 3);
  EXPECT_EQ(std::vector<Extent>(reads.end() - 3, reads.end()),
            (std::vector<Extent>{{51200, 1024}, {61440, 1024}, {71680, 1024}}));
}

TEST_F(BlockMap, SelectsTheBlocksOfAnIndirectMap) {
  image_.put_block(50, pointers({200, 201, 0, 203}));
  image_.put_block(60, pointers({61, 0, 62}));
  image_.put_block(61, pointers({300}));
  image_.put_block(62, pointers({301}));
  image_.put_block(70, pointers({71}));
  image_.put_block(71, pointers({72}));
  image_.put_block(72, pointers({400}));
  follow(pointers({100, 101, 0, 103, 0, 0, 0, 0, 0, 0, 0, 111, 50, 60, 70}), kUsesPointers, directories);
  walk();
  EXPECT_EQ(runs(directories), (Runs{{100, 2}, {103, 1}, {111, 1}, {200, 2}, {203, 1}, {300, 2}, {400, 1}}));
  EXPECT_EQ(runs(indirect_blocks), (Runs{{50, 1}, {60, 3}, {70, 3}}));
  EXPECT_EQ(findings_.total(), 0);
}

TEST_F(BlockMap, SelectsOnlyTheIndirectBlocksIfContentsDoNotMatter) {
  image_.put_block(50, pointers({200}));
  image_.put_block(60, pointers({61}));
  image_.put_block(61, pointers({300}));
  follow(pointers({100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 50, 60, 0}), kUsesPointers, std::nullopt);
  walk();
  EXPECT_EQ(runs(indirect_blocks), (Runs{{50, 1}, {60, 2}}));
  EXPECT_EQ(classes(), std::set{indirect_blocks});
  EXPECT_EQ(reads_of(50), 0);
  EXPECT_EQ(reads_of(60), 1);
  EXPECT_EQ(reads_of(61), 0);
}

TEST_F(BlockMap, NotesPointersOutsideTheFileSystem) {
  image_.put_block(50, pointers({2000}));
  follow(pointers({0xffffffff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 50, 3000, 0}), kUsesPointers, directories);
  walk();
  EXPECT_EQ(runs(directories), Runs{});
  EXPECT_EQ(findings_.entries(), (Entries{{Finding::block_out_of_range, kFileInode, 2000},
                                          {Finding::block_out_of_range, kFileInode, 3000},
                                          {Finding::block_out_of_range, kFileInode, 0xffffffff}}));
}

TEST_F(BlockMap, EndsWhereIndirectBlocksAreALoop) {
  image_.put_block(50, pointers(std::vector<std::uint64_t>(256, 50)));
  follow(pointers({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 50, 50, 50}), kUsesPointers, directories);
  walk();
  EXPECT_EQ(runs(directories), (Runs{{50, 1}}));  // it also maps itself, and that class counts first
  EXPECT_EQ(reads_of(50), 3);
}

TEST_F(BlockMap, FollowsPointersEvenIfTheFlagPromisesExtents) {
  follow(pointers({100, 101}), kUsesExtents, directories);
  walk();
  EXPECT_EQ(runs(directories), (Runs{{100, 2}}));
  EXPECT_EQ(findings_.entries(), (Entries{{Finding::bad_extent_node, kFileInode, 0}}));
}

TEST_F(BlockMap, FollowsExtentsEvenIfTheFlagIsMissing) {
  follow(extent_leaf({{100, 10}}), kUsesPointers, directories);
  walk();
  const Runs found = runs(directories);
  EXPECT_NE(std::ranges::find(found, BlockRun{100, 10}), found.end());
}

TEST_F(BlockMap, FindsNothingWrongWithAnEmptyMap) {
  follow({}, kUsesExtents, directories);
  follow({}, kUsesPointers, directories);
  walk();
  EXPECT_EQ(runs_.size(), 0);
  EXPECT_EQ(findings_.total(), 0);
}

class LargeBlockMap : public BlockMap {
 protected:
  LargeBlockMap() : BlockMap(1'000'000) {}
};

// The number of the first block ends in the magic of extents; nothing is wrong with that.
TEST_F(LargeBlockMap, FindsNothingWrongWithPointersThatLookLikeExtents) {
  for (const std::uint64_t first : {0xf30aULL, 0x1f30aULL, 0x5f30aULL}) {
    std::vector<std::uint64_t> blocks;
    for (std::uint64_t i = 0; i < 12; ++i) blocks.push_back(first + i);
    follow(pointers(blocks), kUsesPointers, directories);
  }
  walk();
  EXPECT_EQ(findings_.total(), 0);
}

TEST_F(LargeBlockMap, TakesExtentsOfUpTo32768BlocksForWrittenOnes) {
  follow(extent_leaf({{100'000, 32768}, {200'000, 32769}}), kUsesExtents, data);
  walk();
  EXPECT_EQ(runs(data), (Runs{{100'000, 32768}, {200'000, 1}}));
}

TEST_F(LargeBlockMap, FollowsMoreNodesThanItKeepsInItsQueue) {
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    image_.put_block(10'000 + i, extent_leaf({{100'000 + 2 * i, 1}}));
    follow(extent_index(1, {10'000 + i}), kUsesExtents, directories);
  }
  walk();
  EXPECT_EQ(runs(extent_trees), (Runs{{10'000, 10'000}}));
  EXPECT_EQ(runs(directories).size(), 10'000);
}

}  // namespace
}  // namespace e2qcow::ext2
