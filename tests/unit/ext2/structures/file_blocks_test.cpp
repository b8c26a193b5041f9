// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/structures/file_blocks.h"

#include <gtest/gtest.h>

#include "tests/support/ext2_image.h"
#include "tests/support/extent_nodes.h"

namespace e2qcow::ext2 {
namespace {

using Runs = std::vector<BlockRun>;

constexpr std::uint64_t kNoLimit = 1ULL << 32;

struct Mapped {
  std::uint64_t logical;
  std::uint64_t block;
  std::uint64_t length;
};

Bytes leaf(const std::vector<Mapped>& mapped) {
  std::vector<LeafEntry> entries;
  for (const Mapped& run : mapped) entries.push_back({run.block, run.length});
  Bytes node = extent_leaf(entries);
  for (std::size_t i = 0; i < mapped.size(); ++i) set_le(node, 12 + 12 * i, mapped[i].logical, 4);
  return node;
}

// A file on a disk of 2000 blocks of 1 KiB.
class FileBlocks : public testing::Test {
 protected:
  Runs of_extents(Bytes map, std::uint64_t limit = kNoLimit) { return blocks(std::move(map), true, limit); }
  Runs of_pointers(const std::vector<std::uint64_t>& map, std::uint64_t limit = kNoLimit) {
    return blocks(pointers(map), false, limit);
  }
  std::int64_t reads_of(std::uint64_t block) const {
    return std::ranges::count(image_.disk.reads(), Extent{block * 1024, 1024});
  }

  Ext2Image image_{1024, 2000};

 private:
  Runs blocks(Bytes map, bool uses_extents, std::uint64_t limit) {
    map.resize(60);
    return blocks_of_file(image_.open(), map, uses_extents, limit);
  }
};

TEST_F(FileBlocks, AreThoseOfItsExtentsWithHoles) {
  EXPECT_EQ(of_extents(leaf({{0, 100, 3}, {3, 500, 2}, {10, 600, 1}})),
            (Runs{{100, 3}, {500, 2}, {0, 5}, {600, 1}}));
}

TEST_F(FileBlocks, BeginWithAHoleIfTheFirstIsNotMapped) {
  EXPECT_EQ(of_extents(leaf({{4, 100, 3}})), (Runs{{0, 4}, {100, 3}}));
}

TEST_F(FileBlocks, AreInTheOrderOfTheFile) {
  EXPECT_EQ(of_extents(leaf({{5, 100, 5}, {0, 500, 5}})), (Runs{{500, 5}, {100, 5}}));
}

TEST_F(FileBlocks, AreCountedThoughTheyAreUnwritten) {
  EXPECT_EQ(of_extents(leaf({{0, 100, 32768 + 3}})), (Runs{{100, 3}}));
}

TEST_F(FileBlocks, AreFoundInTrees) {
  image_.put_block(50, extent_index(1, {51, 52}));
  image_.put_block(51, leaf({{0, 100, 2}}));
  image_.put_block(52, leaf({{2, 200, 2}}));
  EXPECT_EQ(of_extents(extent_index(2, {50})), (Runs{{100, 2}, {200, 2}}));
}

TEST_F(FileBlocks, AreFoundInTreesOf31Levels) {
  for (std::uint64_t depth = 1; depth <= 30; ++depth)
    image_.put_block(50 + depth, extent_index(depth, {49 + depth}));
  image_.put_block(50, leaf({{0, 100, 10}}));
  EXPECT_EQ(of_extents(extent_index(31, {80})), (Runs{{100, 10}}));
}

TEST_F(FileBlocks, AreNotLookedForInDeeperTrees) {
  image_.put_block(50, leaf({{0, 100, 10}}));
  EXPECT_EQ(of_extents(extent_index(32, {50})), Runs{});
  EXPECT_EQ(of_extents(extent_index(65535, {50})), Runs{});
}

// libext2fs does not look at the depth that a node says it has, but for the root.
TEST_F(FileBlocks, AreFoundIfANodeHasAWrongDepth) {
  Bytes node = leaf({{0, 100, 2}});
  for (const std::uint64_t depth : {1, 2, 7, 65535}) {
    set_le(node, 6, depth, 2);
    image_.put_block(51, node);
    EXPECT_EQ(of_extents(extent_index(1, {51})), (Runs{{100, 2}})) << depth;
  }
}

TEST_F(FileBlocks, AreHolesIfANodeIsInvalid) {
  Bytes node = leaf({{0, 100, 2}});
  set_le(node, 0, 0xf30b, 2);
  image_.put_block(51, node);
  image_.put_block(52, leaf({{2, 200, 2}}));
  EXPECT_EQ(of_extents(extent_index(1, {51, 2000, (1ULL << 40) + 52, 52})), (Runs{{0, 2}, {200, 2}}));
}

TEST_F(FileBlocks, AreHolesIfATreeHasNoNode) {
  image_.put_block(52, leaf({{2, 200, 2}}));
  EXPECT_EQ(of_extents(extent_index(1, {0, 52})), (Runs{{0, 2}, {200, 2}}));
}

TEST_F(FileBlocks, AreNoneIfTheMapIsInvalid) {
  EXPECT_EQ(of_extents(filled(60, 0xff)), Runs{});
  EXPECT_EQ(of_extents(Bytes(60)), Runs{});
  EXPECT_EQ(of_pointers(std::vector<std::uint64_t>(15)), Runs{});
}

TEST_F(FileBlocks, AreHolesIfTheyAreNotOnTheDevice) {
  EXPECT_EQ(of_extents(leaf({{0, 1999, 2}, {2, 2000, 1}, {3, 1ULL << 40, 1}, {4, 1999, 1}})),
            (Runs{{0, 4}, {1999, 1}}));
  EXPECT_EQ(of_pointers({0xffffffff, 2000, 1999}), (Runs{{0, 2}, {1999, 1}}));
}

TEST_F(FileBlocks, EndAtTheLimit) {
  EXPECT_EQ(of_extents(leaf({{0, 100, 5}, {5, 200, 5}, {10, 300, 5}}), 8), (Runs{{100, 5}, {200, 3}}));
  EXPECT_EQ(of_extents(leaf({{7, 100, 5}, {8, 200, 5}}), 8), (Runs{{0, 7}, {100, 1}}));
  EXPECT_EQ(of_pointers({100, 101, 102, 200}, 2), (Runs{{100, 2}}));
  EXPECT_EQ(of_extents(leaf({{0xffffffff, 100, 5}}), 8), Runs{});
}

TEST_F(FileBlocks, AreThoseOfTheFirstExtentIfSomeOverlap) {
  EXPECT_EQ(of_extents(leaf({{0, 100, 5}, {3, 200, 5}, {5, 300, 1}})), (Runs{{100, 5}, {300, 1}}));
}

TEST_F(FileBlocks, AreFoundThoughExtentsOfNoLengthAreBetweenThem) {
  Runs found = of_extents(leaf({{0, 100, 2}, {2, 300, 0}, {2, 200, 2}}));
  std::erase_if(found, [](const BlockRun& run) { return run.count == 0; });
  EXPECT_EQ(found, (Runs{{100, 2}, {200, 2}}));
}

TEST_F(FileBlocks, AreThoseOfAnIndirectMap) {
  std::vector<std::uint64_t> map(15);
  for (std::uint64_t i = 0; i < 12; ++i) map[i] = 100 + i;
  map[12] = 50;
  map[13] = 51;
  image_.put_block(50, pointers({112, 113, 0, 300}));
  image_.put_block(51, pointers({52, 0, 53}));
  image_.put_block(52, pointers({400}));
  image_.put_block(53, pointers({500}));
  EXPECT_EQ(of_pointers(map), (Runs{{100, 14}, {0, 1}, {300, 1}, {0, 252}, {400, 1}, {0, 511}, {500, 1}}));
}

TEST_F(FileBlocks, AreThoseOfATripleIndirectMap) {
  std::vector<std::uint64_t> map(15);
  map[14] = 50;
  image_.put_block(50, pointers({0, 51}));
  image_.put_block(51, pointers({0, 0, 52}));
  image_.put_block(52, pointers({0, 0, 0, 700}));
  const std::uint64_t logical = 12 + 256 + 65536 + 65536 + 2 * 256 + 3;
  EXPECT_EQ(of_pointers(map), (Runs{{0, logical}, {700, 1}}));
}

class FirstBlock : public FileBlocks {
 protected:
  std::optional<std::uint64_t> of(Bytes map, bool uses_extents) {
    map.resize(60);
    return first_block_of_file(image_.open(), map, uses_extents);
  }
};

TEST_F(FirstBlock, IsTheFirstPointer) {
  EXPECT_EQ(of(pointers({100, 200}), false), 100);
  EXPECT_EQ(of(pointers({0, 200}), false), std::nullopt);
  EXPECT_EQ(of(pointers({2000}), false), std::nullopt);
}

TEST_F(FirstBlock, IsTheFirstOfTheFirstExtent) {
  EXPECT_EQ(of(leaf({{0, 100, 5}, {5, 200, 5}}), true), 100);
  EXPECT_EQ(of(leaf({{3, 100, 5}}), true), std::nullopt) << "a hole";
  EXPECT_EQ(of(leaf({}), true), std::nullopt);
  EXPECT_EQ(of(leaf({{0, 2000, 5}}), true), std::nullopt);
  EXPECT_EQ(of(pointers({100, 200}), true), std::nullopt) << "no magic";
}

TEST_F(FirstBlock, IsInTheFirstLeafOfATree) {
  image_.put_block(50, extent_index(1, {51, 60}));
  image_.put_block(51, leaf({{0, 100, 2}}));
  EXPECT_EQ(of(extent_index(2, {50, 61}), true), 100);
  EXPECT_EQ(reads_of(60), 0);
  EXPECT_EQ(of(extent_index(2, {62}), true), std::nullopt) << "zeros";
  EXPECT_EQ(of(extent_index(2, {2000}), true), std::nullopt);
}

TEST_F(FirstBlock, IsNotLookedForInTreesThatExt4DoesNotMake) {
  image_.put_block(50, extent_index(1, {50}));
  EXPECT_EQ(of(extent_index(6, {50}), true), std::nullopt);
  EXPECT_EQ(reads_of(50), 0);
}

TEST_F(FileBlocks, EndIfATreeIsALoop) {
  image_.put_block(50, extent_index(1, {50, 51}));
  image_.put_block(51, extent_index(1, {50, 51}));
  of_extents(extent_index(2, {50}));
  EXPECT_LE(reads_of(50), 2);
  EXPECT_LE(reads_of(51), 2);
}

TEST_F(FileBlocks, EndWhereIndirectBlocksAreALoop) {
  image_.put_block(50, pointers(std::vector<std::uint64_t>(256, 50)));
  of_pointers({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 50, 50, 50});
  EXPECT_LE(reads_of(50), 3);
}

}  // namespace
}  // namespace e2qcow::ext2
