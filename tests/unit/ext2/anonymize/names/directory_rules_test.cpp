// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/names/directory_rules.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/test_secret.h"

namespace e2qcow::ext2 {
namespace {

using NameList = std::vector<std::string_view>;

class DirectoryNames : public testing::Test {
 protected:
  DirectoryNamer namer() const { return {naming_, rules_}; }
  std::uint32_t old_hash(std::string_view name) const {
    NameHash hash = naming_.old_hash;
    hash.version = rules_.hash_version;
    return *hash.of(name);
  }

  const Naming naming_{test_secret(), {.seed = {1, 2, 3, 4}}, {.seed = {5, 6, 7, 8}}};
  DirectoryRules rules_{.inode = 12, .hash_version = EXT2_HASH_HALF_MD4};
};

TEST_F(DirectoryNames, AreTheSameForTheSameNameOnly) {
  EXPECT_EQ(namer().replacement("budget.xls", 0).name, namer().replacement("budget.xls", 0).name);
  EXPECT_NE(namer().replacement("budget.xls", 0).name, namer().replacement("budget.xlt", 0).name);
}

TEST_F(DirectoryNames, AreOthersInAnotherDirectory) {
  const std::string name = namer().replacement("budget.xls", 0).name;
  rules_.inode = 13;
  EXPECT_NE(namer().replacement("budget.xls", 0).name, name);
}

TEST_F(DirectoryNames, AreAsLongButForTinyOnes) {
  for (const std::size_t length : {4, 5, 100, 255})
    EXPECT_EQ(namer().replacement(std::string(length, 'n'), 0).name.size(), length);
  for (const std::size_t length : {1, 2, 3})
    EXPECT_EQ(namer().replacement(std::string(length, 'n'), 0).name.size(), 4);
  rules_.tiny = {namer().fingerprint("n")};
  EXPECT_EQ(namer().replacement("n", 0).name.size(), 1);
  EXPECT_EQ(namer().replacement("nn", 0).name.size(), 4);
}

TEST_F(DirectoryNames, StayIfTheyAreDotsOrLostAndFoundInTheRoot) {
  EXPECT_EQ(namer().replacement(".", 0).name, ".");
  EXPECT_EQ(namer().replacement("..", 0).name, "..");
  EXPECT_NE(namer().replacement("lost+found", 0).name, "lost+found");
  rules_.inode = EXT2_ROOT_INO;
  EXPECT_EQ(namer().replacement("lost+found", 0).name, "lost+found");
}

TEST_F(DirectoryNames, AreMadeOfWhatCaseFoldingLeavesAlone) {
  rules_.flags = EXT4_CASEFOLD_FL;
  const std::string name = namer().replacement("A name with CAPITALS", 0).name;
  EXPECT_EQ(name.find_first_not_of(kFolded.characters), std::string::npos) << name;
}

// e2fsck finds them.
TEST_F(DirectoryNames, KeepSlashesAndZeros) {
  const std::string_view name("a/secret\0name", 13);
  const std::string replaced = namer().replacement(name, 0).name;
  EXPECT_EQ(replaced[1], '/');
  EXPECT_EQ(replaced[8], '\0');
  EXPECT_EQ(replaced.find("secret"), std::string::npos);
  EXPECT_TRUE(DirectoryNamer::has_fixed_bytes(name));
  EXPECT_FALSE(DirectoryNamer::has_fixed_bytes("a secret name"));
}

TEST_F(DirectoryNames, KeepTheirCells) {
  rules_.cells = HashCells({0x2000'0000, 0x4000'0000, 0xe000'0000});
  for (int i = 0; i < 200; ++i) {
    const std::string name = "IMG_" + std::to_string(i);
    const auto cells = namer().cells_of(NameList{name});
    ASSERT_EQ(cells.size(), 1);
    EXPECT_EQ(cells[0], rules_.cells.cell_of(old_hash(name)));
    const auto replaced = namer().replacement(name, cells[0]);
    EXPECT_TRUE(replaced.is_placed);
    EXPECT_EQ(namer().cell_of_new(replaced.name), cells[0]);
  }
}

TEST_F(DirectoryNames, NeedNoCellsWithoutATree) {
  EXPECT_TRUE(namer().cells_of(NameList{"budget.xls"}).empty());
  EXPECT_EQ(namer().cell_of_new("budget.xls"), 0);
}

// Names with one hash may fill the end of one leaf and the beginning of the next.
TEST_F(DirectoryNames, AreInTheLeafBeforeIfTheyAreItsLast) {
  const std::uint32_t middle = old_hash("middle");
  rules_.cells = HashCells({middle});
  std::string less;
  std::string more;
  for (int i = 0; less.empty() || more.empty(); ++i) {
    const std::string name = std::to_string(i);
    (old_hash(name) < middle ? less : more) = name;
  }
  EXPECT_EQ(namer().cells_of(NameList{less, "middle"}), (std::vector<std::uint32_t>{0, 0}));
  EXPECT_EQ(namer().cells_of(NameList{more, "middle"}), (std::vector<std::uint32_t>{1, 1}));
  EXPECT_EQ(namer().cells_of(NameList{"middle"}), (std::vector<std::uint32_t>{1}));
}

TEST_F(DirectoryNames, AreNotPlacedInACellThatIsTooNarrow) {
  const std::uint32_t begin = old_hash("budget.xls");
  rules_.cells = HashCells({begin, begin + 2});
  EXPECT_FALSE(namer().replacement("budget.xls", 1).is_placed);
}

TEST_F(DirectoryNames, AreLaterCandidatesIfTheRulesSaySo) {
  rules_.later = {{namer().fingerprint("budget.xls"), 2}};
  EXPECT_EQ(namer().replacement("budget.xls", 0).name, namer().draw("budget.xls", 0, 2).name);
  const std::set<std::string> names{namer().draw("budget.xls", 0, 0).name,
                                    namer().draw("budget.xls", 0, 1).name,
                                    namer().draw("budget.xls", 0, 2).name};
  EXPECT_EQ(names.size(), 3);
}

TEST_F(DirectoryNames, AreNumberedIfTheRulesSaySo) {
  rules_.numbered = {{namer().fingerprint("budget.xls"), 77}};
  std::string expected(10, '\0');
  namer().numbered_names(10).get(77, expected);
  EXPECT_EQ(namer().replacement("budget.xls", 0).name, expected);
}

TEST_F(DirectoryNames, AreCountedIfTheRulesHaveNone) {
  rules_.unplaced = {namer().fingerprint("budget.xls")};
  const auto replaced = namer().replacement("budget.xls", 0);
  EXPECT_FALSE(replaced.is_placed);
  EXPECT_NE(replaced.name, "budget.xls");
}

}  // namespace
}  // namespace e2qcow::ext2
