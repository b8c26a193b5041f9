// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/selection/inode_walk.h"

#include <gtest/gtest.h>

#include "tests/support/ext2_image.h"
#include "tests/support/extent_nodes.h"

namespace e2qcow::ext2 {
namespace {

using enum BlockClass;
using Runs = std::vector<BlockRun>;
using Entries = std::vector<Findings::Entry>;

constexpr std::uint64_t kDirectory = 0040755;
constexpr std::uint64_t kRegular = 0100644;
constexpr std::uint64_t kSymlink = 0120777;
constexpr std::uint64_t kExtentsFlag = 0x80000;
// Sources: the kernel's include/linux/jbd2.h; libsupport/quotaio_v2.h
const Bytes kJournalMagic = bytes_of({0xc0, 0x3b, 0x39, 0x98});
const Bytes kProjectQuotaMagic = bytes_of({0x14, 0x3f, 0xc0, 0xd9});

// One group with 32 inodes of 128 bytes in four blocks from 20 on; 2000 blocks of 1 KiB.
class InodeWalkTest : public testing::Test {
 protected:
  InodeWalkTest() { image_.set_descriptor(0, Ext2Image::kInodeTable, 20); }

  std::span<std::byte> inode(std::uint64_t number) {
    return std::span(table_).subspan((number - 1) * 128, 128);
  }
  // With extents.
  void put_inode(std::uint64_t number, std::uint64_t mode, const Bytes& map, std::uint64_t size = 1000) {
    set_le(inode(number), 0, mode, 2);
    set_le(inode(number), 4, size, 4);
    set_le(inode(number), 32, kExtentsFlag, 4);
    std::ranges::copy(map, inode(number).begin() + 40);
  }
  void walk(DumpKind kind = DumpKind::metadata) {
    for (std::uint64_t i = 0; i < 4; ++i) image_.put_block(20 + i, part_of(table_, i * 1024, 1024));
    const Filesystem filesystem = image_.open();
    Selection selection;
    InodeWalk walk(filesystem, kind, selection, findings_);
    walk.walk_groups({0, 1}, InodeTables(filesystem, findings_));
    walk.walk_journal_backup();
    walk.finish();
    runs_ = std::move(selection).sorted();
  }
  Runs runs(BlockClass block_class) const { return runs_of(runs_, block_class); }

  Ext2Image image_{1024, 2000};
  Bytes table_ = Bytes(4096);
  Findings findings_;
  std::vector<Selection::ClassRun> runs_;
};

TEST_F(InodeWalkTest, SelectsTheBlocksOfATableThatAreNotZero) {
  set_le(inode(9), 0, kRegular, 2);
  set_le(inode(25), 127, 1, 1);
  walk();
  EXPECT_EQ(runs(inode_tables), (Runs{{21, 1}, {23, 1}}));
  EXPECT_EQ(findings_.total(), 0);
}

TEST_F(InodeWalkTest, SelectsDirectoriesAndLongLinksButNoFiles) {
  put_inode(12, kDirectory, extent_leaf({{100, 2}}));
  put_inode(13, kSymlink, extent_leaf({{200, 1}}));
  put_inode(14, kRegular, extent_leaf({{300, 9}}));
  walk();
  EXPECT_EQ(runs(directories), (Runs{{100, 2}}));
  EXPECT_EQ(runs(symlinks), (Runs{{200, 1}}));
  EXPECT_EQ(runs(data), Runs{});
}

TEST_F(InodeWalkTest, TakesTheRootForADirectoryWhateverItsMode) {
  put_inode(2, 0, extent_leaf({{100, 2}}));
  walk();
  EXPECT_EQ(runs(directories), (Runs{{100, 2}}));
}

TEST_F(InodeWalkTest, SelectsTheContentsOfOrphansButNotOfWhatIsDeleted) {
  put_inode(12, kDirectory, extent_leaf({{100, 2}}));
  put_inode(13, kDirectory, extent_leaf({{200, 2}}));
  put_inode(14, kDirectory, extent_leaf({{300, 2}}));
  set_le(inode(12), 20, 1'700'000'000, 4);                                          // time of deletion
  set_le(inode(13), 20, 14, 4);                                                     // the next orphan
  for (const std::uint64_t number : {12, 13, 14}) set_le(inode(number), 26, 0, 2);  // links
  walk();
  EXPECT_EQ(runs(directories), (Runs{{200, 2}, {300, 2}}));
}

TEST_F(InodeWalkTest, SelectsTheContentsOfFilesWhenAllIsWanted) {
  put_inode(12, kRegular, extent_leaf({{100, 2}}));
  put_inode(13, kRegular, extent_leaf({{200, 2}}));
  set_le(inode(13), 20, 1'700'000'000, 4);
  set_le(inode(13), 26, 0, 2);
  walk();
  EXPECT_EQ(runs(data), Runs{});
  walk(DumpKind::all);
  EXPECT_EQ(runs(data), (Runs{{100, 2}}));
}

TEST_F(InodeWalkTest, SelectsFilesOfTheFileSystemItselfByTheirNumbers) {
  image_.superblock.raw.s_journal_inum = 20;
  image_.superblock.raw.s_prj_quota_inum = 21;
  image_.superblock.raw.s_orphan_file_inum = 22;
  const std::vector<std::pair<std::uint64_t, BlockClass>> special{
      {3, quota},    {4, quota},  {5, reserved_inodes}, {8, journal},
      {20, journal}, {21, quota}, {22, orphan_file}};
  for (const auto& [number, block_class] : special)
    put_inode(number, kRegular, extent_leaf({{100 + 10 * number, 2}}));
  image_.put_block(300, kJournalMagic);
  image_.put_block(310, kProjectQuotaMagic);
  walk();
  EXPECT_EQ(runs(quota), (Runs{{130, 2}, {140, 2}, {310, 2}}));
  EXPECT_EQ(runs(reserved_inodes), (Runs{{150, 2}}));
  EXPECT_EQ(runs(journal), (Runs{{180, 2}, {300, 2}}));
  EXPECT_EQ(runs(orphan_file), (Runs{{320, 2}}));
}

TEST_F(InodeWalkTest, SelectsOnlyTheFirstBlockOfFilesThatTheSuperblockNamesWrongly) {
  image_.superblock.raw.s_journal_inum = 20;
  image_.superblock.raw.s_usr_quota_inum = 21;
  put_inode(20, kRegular, extent_leaf({{300, 5}}));
  put_inode(21, kRegular, extent_leaf({{310, 5}}));
  image_.put_block(300, kProjectQuotaMagic);
  image_.put_block(310, kJournalMagic);
  walk();
  EXPECT_EQ(runs(journal), (Runs{{300, 1}}));
  EXPECT_EQ(runs(quota), (Runs{{310, 1}}));
}

TEST_F(InodeWalkTest, SelectsNoContentsOfTheResizeInode) {
  put_inode(7, kRegular, extent_leaf({{100, 5}}));
  walk();
  EXPECT_EQ(runs_.size(), 1);
  EXPECT_EQ(runs(inode_tables), (Runs{{20, 1}}));
}

TEST_F(InodeWalkTest, DoesNotTakeAShortLinkForAMap) {
  put_inode(12, kSymlink, text_bytes("a target of a link, which is no map at all"), 42);
  set_le(inode(12), 32, 0, 4);
  walk();
  EXPECT_EQ(runs_.size(), 1);
  EXPECT_EQ(findings_.total(), 0);
}

TEST_F(InodeWalkTest, SelectsTheBlockOfExtendedAttributes) {
  for (const std::uint64_t number : {12, 13}) set_le(inode(number), 0, kRegular, 2);
  set_le(inode(12), 104, 500, 4);
  set_le(inode(13), 104, 3000, 4);
  walk();
  EXPECT_EQ(runs(xattrs), (Runs{{500, 1}}));
  EXPECT_EQ(findings_.entries(), (Entries{{Finding::block_out_of_range, 13, 3000}}));
}

TEST_F(InodeWalkTest, UsesTheHighBitsOfABlockOnlyIfBlocksHave64Bits) {
  set_le(inode(12), 0, kRegular, 2);
  set_le(inode(12), 104, 500, 4);
  set_le(inode(12), 118, 1, 2);
  walk();
  EXPECT_EQ(runs(xattrs), (Runs{{500, 1}}));
  EXPECT_EQ(findings_.total(), 0);
}

TEST_F(InodeWalkTest, SelectsTheBlockWithAndWithoutItsHighBits) {
  image_.superblock.raw.s_feature_incompat = EXT4_FEATURE_INCOMPAT_64BIT;
  set_le(inode(12), 0, kRegular, 2);
  set_le(inode(12), 104, 500, 4);
  set_le(inode(12), 118, 1, 2);
  walk();
  EXPECT_EQ(runs(xattrs), (Runs{{500, 1}}));
  EXPECT_EQ(findings_.entries(), (Entries{{Finding::block_out_of_range, 12, (1ULL << 32) + 500}}));
}

// All that a mode can say beside directory, file and link. e2fsck looks at the first block of those that have
// one: it may be a directory whose mode is damaged.
TEST_F(InodeWalkTest, SelectsOnlyTheFirstBlockIfTheModeHasNoBlocks) {
  for (const std::uint64_t mode : {0010644, 0140755, 0000644, 0030644, 0070644, 0110644, 0160644, 0170644}) {
    put_inode(12, mode, extent_leaf({{100, 5}, {300, 5}}));
    put_inode(13, mode, pointers({200, 201, 202}));
    set_le(inode(13), 32, 0, 4);
    for (const std::uint64_t number : {12, 13}) set_le(inode(number), 26, 1, 2);
    walk();
    EXPECT_EQ(runs(directories), (Runs{{100, 1}, {200, 1}})) << std::oct << mode;
  }
}

Bytes block_of_directory(std::uint64_t inode) {
  Bytes block(1024);
  set_le(block, 0, inode, 4);
  set_le(block, 4, 12, 2);
  set_le(block, 6, 1, 1);
  set_le(block, 8, '.', 1);
  return block;
}

// e2fsck -y makes it one again, and reads on.
TEST_F(InodeWalkTest, SelectsAllOfADirectoryThatHasTheModeOfSomethingElse) {
  put_inode(12, 0010644, extent_leaf({{100, 5}}));
  put_inode(13, 0, extent_index(1, {50}));
  put_inode(14, 0140644, pointers({300, 301}));
  set_le(inode(14), 32, 0, 4);
  image_.put_block(50, extent_leaf({{200, 5}}));
  for (const std::uint64_t number : {12, 13, 14})
    image_.put_block(100 * (number - 11), block_of_directory(number));
  walk();
  EXPECT_EQ(runs(directories), (Runs{{100, 5}, {200, 5}, {300, 2}}));
}

TEST_F(InodeWalkTest, SelectsOnlyTheFirstBlockOfAFileMarkedAsHashTree) {
  put_inode(12, kRegular, extent_leaf({{100, 10}}));
  set_le(inode(12), 32, kExtentsFlag | EXT2_INDEX_FL, 4);
  walk();
  EXPECT_EQ(runs(directories), (Runs{{100, 1}}));
}

TEST_F(InodeWalkTest, SelectsOnlyTheFirstBlockOfANonDirectory) {
  put_inode(12, 0010644, extent_leaf({{100, 5}}));
  put_inode(13, 0010644, extent_leaf({{200, 5}}));
  put_inode(14, 0010644, extent_leaf({{300, 5}}));
  image_.put_block(100, block_of_directory(77));
  Bytes other_name = block_of_directory(13);
  set_le(other_name, 8, 'x', 1);
  image_.put_block(200, other_name);
  Bytes longer_name = block_of_directory(14);
  set_le(longer_name, 6, 2, 1);
  image_.put_block(300, longer_name);
  walk();
  EXPECT_EQ(runs(directories), (Runs{{100, 1}, {200, 1}, {300, 1}}));
}

TEST_F(InodeWalkTest, DoesNotTakeADeviceNumberForABlock) {
  for (const std::uint64_t mode : {0020644, 0060644})
    for (const auto& map : {pointers({0x0501}), pointers({0, 0x10501})}) {
      put_inode(12, mode, map);
      set_le(inode(12), 26, 1, 2);
      set_le(inode(12), 32, 0, 4);
      walk();
      EXPECT_EQ(runs_.size(), 1) << std::oct << mode;
      EXPECT_EQ(findings_.total(), 0);
    }
}

TEST_F(InodeWalkTest, SelectsTheFirstBlockOfADeviceThatCannotBeOne) {
  for (const std::uint64_t mode : {0020644, 0060644}) {
    table_ = Bytes(4096);
    put_inode(12, mode, pointers({100, 0, 0, 0, 104}));  // a device has nothing there
    put_inode(13, mode, pointers({200}));
    put_inode(14, mode, extent_leaf({{300, 5}}));
    for (const std::uint64_t number : {12, 13, 14}) set_le(inode(number), 26, number == 13 ? 2 : 1, 2);
    for (const std::uint64_t number : {12, 13}) set_le(inode(number), 32, 0, 4);
    walk();
    EXPECT_EQ(runs(directories), (Runs{{100, 1}, {200, 1}, {300, 1}})) << std::oct << mode;
  }
}

TEST_F(InodeWalkTest, FollowsNoMapOfPipesWithoutAFirstBlock) {
  put_inode(12, 0010644, pointers({0, 100}));
  set_le(inode(12), 32, 0, 4);
  walk();
  EXPECT_EQ(runs_.size(), 1);
}

TEST_F(InodeWalkTest, SelectsTheContentsOfReservedInodesEvenIfTheyAreMarkedDeleted) {
  put_inode(2, kDirectory, extent_leaf({{100, 2}}));
  put_inode(8, kRegular, extent_leaf({{200, 2}}));
  put_inode(12, kDirectory, extent_leaf({{300, 2}}));
  for (const std::uint64_t number : {2, 8, 12}) set_le(inode(number), 20, 1'700'000'000, 4);
  walk();
  EXPECT_EQ(runs(directories), (Runs{{100, 2}}));
  EXPECT_EQ(runs(journal), (Runs{{200, 2}}));
}

// A clean file system with bad blocks has an inode 1 without links.
TEST_F(InodeWalkTest, FollowsTheMapOfTheBadBlocksInodeButNotToThem) {
  Bytes map = pointers({100, 101, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 50});
  put_inode(1, 0, map);
  set_le(inode(1), 32, 0, 4);
  image_.put_block(50, pointers({600}));
  walk();
  EXPECT_EQ(runs(indirect_blocks), (Runs{{50, 1}}));
  EXPECT_EQ(runs(directories), Runs{});
  EXPECT_EQ(runs(reserved_inodes), Runs{});
}

TEST_F(InodeWalkTest, DoesNotTakeInlineDataForAMap) {
  put_inode(12, kRegular, filled(60, 'x'));
  set_le(inode(12), 32, EXT4_INLINE_DATA_FL, 4);
  walk();
  EXPECT_EQ(runs_.size(), 1);
  EXPECT_EQ(findings_.total(), 0);
}

class InlineDirectories : public BlockVisitor {
 public:
  void visit(BlockClass, BlockRun, std::uint64_t) override {}
  void visit_inline_directory(std::uint64_t inode, std::span<const std::byte> map) override {
    seen.emplace_back(inode, Bytes(map.begin(), map.end()));
  }
  std::vector<std::pair<std::uint64_t, Bytes>> seen;
};

TEST_F(InodeWalkTest, ReportsDirectoriesThatAreInTheInode) {
  put_inode(12, kDirectory, filled(60, 'd'));
  put_inode(13, kRegular, filled(60, 'f'));
  for (const std::uint64_t number : {12, 13}) set_le(inode(number), 32, EXT4_INLINE_DATA_FL, 4);
  put_inode(14, kDirectory, extent_leaf({{100, 2}}));
  image_.put_block(21, part_of(table_, 1024, 1024));
  const Filesystem filesystem = image_.open();
  InlineDirectories visitor;
  InodeWalk walk(filesystem, DumpKind::metadata, visitor, findings_);
  walk.walk_groups({0, 1}, InodeTables(filesystem, findings_));
  walk.finish();
  EXPECT_EQ(visitor.seen, (std::vector{std::pair(std::uint64_t{12}, filled(60, 'd'))}));
}

TEST_F(InodeWalkTest, NotesWhichInodeIsBad) {
  put_inode(25, kDirectory, extent_leaf({{5000, 1}}));
  walk();
  EXPECT_EQ(findings_.entries(), (Entries{{Finding::block_out_of_range, 25, 5000}}));
}

TEST_F(InodeWalkTest, FollowsTheCopyOfTheJournalsMapInTheSuperblock) {
  const Bytes map = extent_leaf({{700, 50}});
  image_.superblock.raw.s_jnl_backup_type = EXT3_JNL_BACKUP_BLOCKS;
  for (std::size_t i = 0; i < map.size() / 4; ++i)
    image_.superblock.raw.s_jnl_blocks[i] = load_le<std::uint32_t>(map, i * 4);
  walk();
  EXPECT_EQ(runs(journal), (Runs{{700, 1}})) << "what begins like no journal may be anything";
  image_.put_block(700, kJournalMagic);
  walk();
  EXPECT_EQ(runs(journal), (Runs{{700, 50}}));
}

TEST_F(InodeWalkTest, NotesATableThatRunsPastTheEnd) {
  image_.set_descriptor(0, Ext2Image::kInodeTable, 1998);
  walk();
  EXPECT_EQ(findings_.entries(), (Entries{{Finding::bad_group_descriptor, 0, 1998}}));
}

TEST_F(InodeWalkTest, NotesATableThatHasNoPlace) {
  image_.set_descriptor(0, Ext2Image::kInodeTable, 0);
  walk();
  EXPECT_EQ(findings_.summary()[Finding::bad_group_descriptor].count, 1);
}

TEST(InodeWalkOf64KiBBlocks, SeesEveryInodeOnceThoughThereAreHolesInItsBlock) {
  Ext2Image image(65536, 100);
  image.set_descriptor(0, Ext2Image::kInodeTable, 20);
  image.superblock.raw.s_inodes_per_group = 512;
  Bytes inode(128);
  set_le(inode, 0, kRegular, 2);
  set_le(inode, 104, 5000, 4);  // extended attributes outside the file system
  image.disk.put(20 * 65536, inode);
  image.disk.put(20 * 65536 + 32768, inode);
  const Filesystem filesystem = image.open();
  Selection selection;
  Findings findings;
  InodeWalk walk(filesystem, DumpKind::metadata, selection, findings);
  walk.walk_groups({0, 1}, InodeTables(filesystem, findings));
  walk.finish();
  EXPECT_EQ(findings.entries(),
            (Entries{{Finding::block_out_of_range, 1, 5000}, {Finding::block_out_of_range, 257, 5000}}));
}

}  // namespace
}  // namespace e2qcow::ext2
