// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/names/path_finder.h"

#include <gtest/gtest.h>

#include "tests/support/directory_block.h"
#include "tests/support/ext2_image.h"

namespace e2qcow::ext2 {
namespace {

class PathFinderTest : public testing::Test {
 protected:
  void put_directory(std::uint64_t inode, std::uint64_t block, const std::vector<RawEntry>& entries) {
    image_.put_block(block, directory_block(entries));
    runs_.push_back({block, inode});
  }
  PathFinder& read(const std::unordered_set<std::uint64_t>& wanted) {
    filesystem_.emplace(image_.open());
    finder_.emplace(*filesystem_);
    for (const auto& [block, inode] : runs_) finder_->visit(BlockClass::directories, {block, 1}, inode);
    finder_->read_names(wanted);
    return *finder_;
  }

  Ext2Image image_{1024, 2000};
  std::vector<std::pair<std::uint64_t, std::uint64_t>> runs_;
  std::optional<Filesystem> filesystem_;
  std::optional<PathFinder> finder_;
};

TEST_F(PathFinderTest, JoinsTheNamesUpToTheRoot) {
  put_directory(2, 100, {{11, 12, "."}, {2, 12, ".."}, {11, 1000, "home", kDirectoryType}});
  put_directory(11, 50, {{12, 1024, "me", kDirectoryType}});
  put_directory(12, 70, {{13, 1024, "letter"}});
  EXPECT_EQ(read({13}).path_of(13), "/home/me/letter");
  EXPECT_EQ(finder_->path_of(12), "/home/me");
  EXPECT_EQ(finder_->path_of(2), "/");
}

TEST_F(PathFinderTest, BeginsWithTheInodeOfADirectoryWithoutAName) {
  put_directory(1234, 100, {{13, 1024, "letter"}});
  EXPECT_EQ(read({13}).path_of(13), "<1234>/letter");
}

TEST_F(PathFinderTest, HasNoPathForAnInodeWithoutAName) {
  put_directory(2, 100, {{13, 1024, "letter"}});
  EXPECT_EQ(read({14}).path_of(14), "");
  EXPECT_FALSE(finder_->has_name(14));
}

TEST_F(PathFinderTest, EndsWhenDirectoriesAreInEachOther) {
  put_directory(11, 100, {{12, 1024, "a", kDirectoryType}});
  put_directory(12, 101, {{11, 16, "b", kDirectoryType}, {13, 1008, "letter"}});
  const std::string path = read({13}).path_of(13);
  EXPECT_TRUE(path.ends_with("/b/a/letter")) << path;
}

// Which types entries have is known only with the feature filetype; without, any may be a directory.
TEST_F(PathFinderTest, RemembersOfFilesTheWantedOnes) {
  image_.superblock.raw.s_feature_incompat = EXT2_FEATURE_INCOMPAT_FILETYPE;
  put_directory(2, 100, {{13, 16, "a"}, {14, 16, "b"}, {15, 992, "c", kDirectoryType}});
  const PathFinder& finder = read({14, 99});
  EXPECT_FALSE(finder.has_name(13));
  EXPECT_TRUE(finder.has_name(15));
  EXPECT_EQ(finder.named(), std::vector<std::uint64_t>{14});
}

TEST_F(PathFinderTest, TakesTheFirstOfSeveralNamesInTheOrderOfTheDisk) {
  put_directory(2, 101, {{13, 1024, "second"}});
  put_directory(2, 100, {{13, 1024, "first"}});
  EXPECT_EQ(read({13}).path_of(13), "/first");
}

// An inline directory begins with its parent, then come the entries. Source: the kernel's fs/ext4/inline.c
TEST_F(PathFinderTest, ReadsEntriesInTheInode) {
  const Filesystem filesystem = image_.open();
  PathFinder finder(filesystem);
  Bytes map = bytes_of({2, 0, 0, 0});
  const Bytes entries = directory_block({{13, 56, "letter"}}, 56);
  map.insert(map.end(), entries.begin(), entries.end());
  finder.visit_inline_directory(11, map);
  finder.read_names({13});
  EXPECT_EQ(finder.path_of(13), "<11>/letter");
}

}  // namespace
}  // namespace e2qcow::ext2
