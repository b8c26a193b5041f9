// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/names/directory_plan.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "ext2/anonymize/names/directory_block.h"
#include "tests/support/directory_names.h"
#include "tests/support/ext2_image.h"
#include "tests/support/index_block.h"
#include "tests/support/test_secret.h"

namespace e2qcow::ext2 {
namespace {

using Names = std::vector<std::string>;

constexpr std::uint64_t kFirst = 100;  // block of the directory

// "IMG_0", "IMG_1" ... or shorter ones.
Names numbered(std::size_t count, const std::string& beginning = "IMG_") {
  Names names;
  for (std::size_t i = 0; i < count; ++i) names.push_back(beginning + std::to_string(i));
  return names;
}

std::vector<IndexEntry> even_index(std::uint64_t leaves) {
  std::vector<IndexEntry> entries;
  for (std::uint64_t i = 0; i < leaves; ++i) entries.push_back({i * (0x1'0000'0000 / leaves), i + 1});
  return entries;
}

class DirectoryPlan : public testing::Test {
 protected:
  void put_index(std::uint64_t leaves) {
    parts_.flags = EXT2_INDEX_FL;
    put(index_root(even_index(leaves)));
  }
  // In blocks of 20.
  void put_names(const Names& names) {
    for (std::size_t i = 0; i < names.size(); i += 20) {
      std::vector<RawEntry> entries;
      for (std::size_t k = i; k < std::min(i + 20, names.size()); ++k) entries.push_back({13, 48, names[k]});
      entries.back().record_length = 1024 - 48 * (entries.size() - 1);
      put(directory_block(entries));
    }
  }
  void put(const Bytes& block) {
    image_.put_block(kFirst + blocks_.size(), block);
    blocks_.push_back(block);
    parts_.blocks = {{kFirst, blocks_.size()}};
  }
  DirectoryRules plan() {
    parts_.inode = 12;
    const Filesystem filesystem = image_.open();
    return plan_names(filesystem, naming_, parts_, plan_cells(filesystem, parts_));
  }
  // The old names in all blocks, with the new ones. Equal ones must become equal.
  std::map<std::string, std::string> renamed(const DirectoryRules& rules) {
    const DirectoryNamer namer(naming_, rules);
    std::map<std::string, std::string> result;
    for (Bytes block : blocks_) {
      const Names before = names_in_block(block);
      anonymize_directory_block(namer, {}, block, tally_);
      const Names after = names_in_block(block);
      EXPECT_EQ(after.size(), before.size());
      for (std::size_t i = 0; i < std::min(after.size(), before.size()); ++i) {
        const auto [found, is_new] = result.emplace(before[i], after[i]);
        EXPECT_EQ(found->second, after[i]) << before[i];
      }
    }
    return result;
  }
  void expect_cells_kept(const DirectoryRules& rules, const std::map<std::string, std::string>& names) const {
    const DirectoryNamer namer(naming_, rules);
    for (const auto& [before, after] : names) {
      const std::vector<std::string_view> one{before};
      if (namer.is_kept(before)) continue;
      EXPECT_EQ(namer.cell_of_new(after), namer.cells_of(one).at(0)) << before;
    }
  }
  static std::size_t different(const std::map<std::string, std::string>& names) {
    std::set<std::string> values;
    for (const auto& [before, after] : names) values.insert(after);
    return values.size();
  }

  Ext2Image image_{1024, 2000};
  std::vector<Bytes> blocks_;
  DirectoryParts parts_;
  const Naming naming_{test_secret(), {.seed = {1, 2, 3, 4}}, {.seed = {5, 6, 7, 8}}};
  Tally tally_;
};

TEST_F(DirectoryPlan, IsPlainWithoutATreeAndShortNames) {
  put_names(numbered(40, "a long name "));
  const DirectoryRules rules = plan();
  EXPECT_TRUE(rules.is_plain());
  EXPECT_EQ(rules.inode, 12);
  EXPECT_EQ(different(renamed(rules)), 40);
}

TEST_F(DirectoryPlan, KeepsFewCells) {
  put_index(8);
  put_names(numbered(300));
  const DirectoryRules rules = plan();
  EXPECT_EQ(rules.cells.count(), 8);
  EXPECT_FALSE(rules.are_numbered());
  const auto names = renamed(rules);
  EXPECT_EQ(different(names), names.size());
  expect_cells_kept(rules, names);
  EXPECT_EQ(tally_.not_placed, 0);
}

TEST_F(DirectoryPlan, KeepsManyCells) {
  put_index(100);
  put_names(numbered(500));
  put_names(numbered(200, "another "));
  const DirectoryRules rules = plan();
  EXPECT_TRUE(rules.are_numbered());
  EXPECT_EQ(rules.numbered.size(), 700);
  const auto names = renamed(rules);
  EXPECT_EQ(different(names), names.size());
  expect_cells_kept(rules, names);
  EXPECT_EQ(tally_.not_placed, 0);
}

// Blocks of the journal are older or newer versions of the same directory.
TEST_F(DirectoryPlan, GivesAllVersionsOfANameTheSame) {
  for (const std::uint64_t leaves : {8, 100}) {
    blocks_.clear();
    put_index(leaves);
    put_names(numbered(40));
    put_names(numbered(60));
    EXPECT_EQ(different(renamed(plan())), 62) << leaves;  // with '.' and '..', which are not hidden here
  }
}

TEST_F(DirectoryPlan, CountsTheBoundariesOfAllVersionsOfTheIndex) {
  put_index(2);
  put(index_root({{0, 1}, {0x1000'0000, 2}, {0x3000'0000, 3}}));
  put(index_node({{0, 1}, {0x5000'0001, 2}}));
  EXPECT_EQ(plan().cells.count(), 5);
}

TEST_F(DirectoryPlan, NeedsNoCellsIfHashesAreStoredBesideNames) {
  parts_.flags = EXT2_INDEX_FL;
  put(index_root(even_index(8), false, EXT2_HASH_SIPHASH));
  EXPECT_FALSE(plan().cells.are_needed());
}

TEST_F(DirectoryPlan, TellsShortNamesApart) {
  Names names;
  for (char a = 'a'; a <= 'z'; ++a)
    for (char b = 'a'; b <= 'z'; ++b) names.push_back({a, b});
  for (const std::uint64_t leaves : {0, 8, 100}) {
    blocks_.clear();
    parts_.flags = 0;
    if (leaves != 0) put_index(leaves);
    put_names(names);
    const DirectoryRules rules = plan();
    auto renamed_names = renamed(rules);
    renamed_names.erase(".");
    renamed_names.erase("..");
    EXPECT_EQ(different(renamed_names), names.size()) << leaves;
    if (leaves != 0) expect_cells_kept(rules, renamed_names);
  }
}

TEST_F(DirectoryPlan, TellsNamesOfOneLetterApartIfTheyMustNotGrow) {
  for (char c = 'a'; c < 'a' + 20; ++c) parts_.other_names.push_back({c});
  put_names(parts_.other_names);
  const DirectoryRules rules = plan();
  EXPECT_EQ(rules.tiny.size(), 20);
  const auto names = renamed(rules);
  EXPECT_EQ(different(names), 20);
  for (const auto& [before, after] : names) EXPECT_EQ(after.size(), 1);
}

TEST_F(DirectoryPlan, KnowsEntriesInTheInode) {
  parts_.inline_entries.push_back(directory_block({{13, 12, "ab"}, {14, 48, "cd"}}, 60));
  parts_.other_names = {"ab"};
  EXPECT_EQ(plan().tiny.size(), 1);
}

TEST_F(DirectoryPlan, CountsNamesThatFindNoPlace) {
  put_names(numbered(1));
  NameHash hash = naming_.old_hash;
  hash.version = EXT2_HASH_HALF_MD4;
  const std::uint32_t begin = *hash.of("IMG_0");
  parts_.flags = EXT2_INDEX_FL;
  put(index_root({{0, 1}, {begin, 2}, {begin + 2, 3}}));
  const DirectoryRules rules = plan();
  EXPECT_EQ(rules.unplaced.size(), 1);
  EXPECT_NE(renamed(rules).at("IMG_0"), "IMG_0");
  EXPECT_EQ(tally_.not_placed, 1);
}

// In directories with few cells.
TEST_F(DirectoryPlan, KeepsNamesWhenOthersComeAndGo) {
  put_index(8);
  put_names(numbered(100));
  const auto before = renamed(plan());
  put_names(numbered(50, "more "));
  const auto after = renamed(plan());
  for (const auto& [name, replaced] : before) EXPECT_EQ(after.at(name), replaced);
}

TEST_F(DirectoryPlan, IsTheSameForTheSameSecret) {
  put_index(100);
  put_names(numbered(300));
  const auto first = renamed(plan());
  EXPECT_EQ(renamed(plan()), first);
}

}  // namespace
}  // namespace e2qcow::ext2
