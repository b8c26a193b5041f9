// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/names/affected_files.h"

#include <gtest/gtest.h>

#include "ext2/selection/select.h"
#include "tests/support/directory_block.h"
#include "tests/support/ext2_image.h"
#include "tests/support/extent_nodes.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::uint64_t kDirectory = 0040755;
constexpr std::uint64_t kRegular = 0100644;

// One group of 2000 blocks of 1 KiB; its 32 inodes of 128 bytes are in the blocks 20 to 23.
//   /             inode 2, entries in block 100
//   /home         inode 9, entries in block 101
//   /home/letter  inode 17, extent node in block 150, contents in blocks 200 to 209 and 300 to 304
//   /home/photo   inode 25, contents in block 400
class AffectedFiles : public testing::Test {
 protected:
  AffectedFiles() {
    image_.set_descriptor(0, Ext2Image::kInodeTable, 20);
    put_inode(2, kDirectory, extent_leaf({{100, 1}}));
    put_inode(9, kDirectory, extent_leaf({{101, 1}}));
    put_inode(17, kRegular, extent_index(1, {150}));
    put_inode(25, kRegular, extent_leaf({{400, 1}}));
    image_.put_block(100, directory_block({{9, 1024, "home", kDirectoryType}}));
    image_.put_block(101, directory_block({{17, 16, "letter"}, {25, 1008, "photo"}}));
    image_.put_block(150, extent_leaf({{200, 10}, {300, 5}}));
    for (std::uint64_t i = 0; i < 4; ++i) image_.put_block(20 + i, part_of(table_, i * 1024, 1024));
  }

  static Extent blocks(std::uint64_t first, std::uint64_t count) { return {first * 1024, count * 1024}; }

  FileNames find_again(const std::vector<Extent>& losses,
                       const std::unordered_set<std::uint64_t>& others = {}) {
    return find_file_names(image_.open(), nullptr, losses, others);
  }
  // The reads are those of the search alone.
  FileNames find_by_owners(const std::vector<Extent>& losses) {
    const Filesystem filesystem = image_.open();
    Findings findings;
    const SelectedExtents selected =
        select_blocks(filesystem, {.kind = DumpKind::all, .threads = 2, .remember = true}, findings);
    const std::size_t before = image_.disk.reads().size();
    FileNames names = find_file_names(filesystem, &*selected.owners, losses, {});
    reads_.assign(image_.disk.reads().begin() + static_cast<std::ptrdiff_t>(before),
                  image_.disk.reads().end());
    return names;
  }

  Ext2Image image_{1024, 2000};
  std::vector<Extent> reads_;

 private:
  // With extents.
  void put_inode(std::uint64_t number, std::uint64_t mode, const Bytes& map) {
    const auto inode = std::span(table_).subspan((number - 1) * 128, 128);
    set_le(inode, 0, mode, 2);
    set_le(inode, 26, 1, 2);
    set_le(inode, 32, 0x80000, 4);
    std::ranges::copy(map, inode.begin() + 40);
  }

  Bytes table_ = Bytes(4096);
};

TEST_F(AffectedFiles, AreThoseThatOwnWhatIsLost) {
  const std::vector<Extent> losses{blocks(205, 1), blocks(301, 2), blocks(1000, 1)};
  for (const FileNames& names : {find_again(losses), find_by_owners(losses)}) {
    ASSERT_EQ(names.hit.size(), 1);
    EXPECT_EQ(names.hit[0].inode, 17);
    EXPECT_EQ(names.hit[0].path, "/home/letter");
    EXPECT_EQ(names.hit[0].lost_bytes, 3 * 1024);
    EXPECT_EQ(names.hit[0].lost, (std::vector<Extent>{blocks(205, 1), blocks(301, 2)}));
    EXPECT_FALSE(names.hit[0].inode_is_lost);
  }
}

TEST_F(AffectedFiles, AreFoundByReadingTheDirectoriesAloneWhenTheSelectionKnowsTheOwners) {
  EXPECT_EQ(find_by_owners({blocks(205, 1)}).hit.size(), 1);
  EXPECT_EQ(reads_, (std::vector<Extent>{blocks(100, 1), blocks(101, 1)}));
}

TEST_F(AffectedFiles, CountMetadataOfTheirOwn) {
  const FileNames names = find_again({blocks(150, 1)});
  ASSERT_EQ(names.hit.size(), 1);
  EXPECT_EQ(names.hit[0].path, "/home/letter");
  EXPECT_EQ(names.hit[0].lost_bytes, 1024);
}

// /home/letter has them twice.
TEST_F(AffectedFiles, CountABlockOnceAndJoinThoseThatTouch) {
  image_.put_block(150, extent_leaf({{200, 1}, {201, 9}, {200, 2}}));
  const std::vector<Extent> losses{blocks(200, 3)};
  for (const FileNames& names : {find_again(losses), find_by_owners(losses)}) {
    ASSERT_EQ(names.hit.size(), 1);
    EXPECT_EQ(names.hit[0].lost_bytes, 3 * 1024);
    EXPECT_EQ(names.hit[0].lost, std::vector<Extent>{blocks(200, 3)});
  }
}

TEST_F(AffectedFiles, CountPartsOfBlocks) {
  const FileNames names = find_again({{205 * 1024 + 512, 1024}});
  ASSERT_EQ(names.hit.size(), 1);
  EXPECT_EQ(names.hit[0].lost_bytes, 1024);
}

// Nobody knows which of the other inodes in the block were in use.
TEST_F(AffectedFiles, AreThoseWithANameWhenInodesAreLost) {
  const FileNames names = find_by_owners({blocks(23, 1)});
  ASSERT_EQ(names.hit.size(), 1);
  EXPECT_EQ(names.hit[0].inode, 25);
  EXPECT_EQ(names.hit[0].path, "/home/photo");
  EXPECT_TRUE(names.hit[0].inode_is_lost);
  EXPECT_EQ(names.hit[0].lost, (std::vector<Extent>{{23 * 1024, 128}}));
}

TEST_F(AffectedFiles, LeaveOtherInodesTheirNames) {
  const FileNames names = find_again({blocks(205, 1)}, {17, 25, 30});
  EXPECT_EQ(names.hit.size(), 1);
  EXPECT_EQ(names.others, (std::vector<std::pair<std::uint64_t, std::string>>{{25, "/home/photo"}}));
}

}  // namespace
}  // namespace e2qcow::ext2
