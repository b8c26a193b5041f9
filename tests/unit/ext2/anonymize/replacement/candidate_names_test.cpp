// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/replacement/candidate_names.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/support/test_secret.h"

namespace e2qcow::ext2 {
namespace {

bool is_made_of(std::string_view name, const Alphabet& alphabet) {
  return name.find_first_not_of(alphabet.characters) == std::string_view::npos;
}

TEST(Alphabet, HasEachCharacterOnce) {
  for (const Alphabet& alphabet : {kMixed, kFolded}) {
    const std::set<char> characters(alphabet.characters.begin(), alphabet.characters.end());
    EXPECT_EQ(characters.size(), std::size_t{1} << alphabet.bits);
    EXPECT_EQ(alphabet.characters.size(), characters.size());
  }
}

TEST(NumberedNames, NeverGivesANameTwice) {
  for (const Alphabet* alphabet : {&kMixed, &kFolded})
    for (std::size_t length = 1; length <= 3; ++length) {
      const NumberedNames names(test_secret(), *alphabet, length);
      EXPECT_EQ(names.count(), std::uint64_t{1} << (length * alphabet->bits));
      std::set<std::string> seen;
      std::string name(length, '\0');
      for (std::uint64_t number = 0; number < names.count(); ++number) {
        names.get(number, name);
        ASSERT_TRUE(is_made_of(name, *alphabet)) << name;
        ASSERT_TRUE(seen.insert(name).second) << name << " is number " << number;
      }
    }
}

TEST(NumberedNames, DiffersInTheLastTenCharacters) {
  const NumberedNames names(test_secret(), kMixed, 25);
  EXPECT_EQ(names.count(), std::uint64_t{1} << 60);
  std::string first(25, '\0');
  std::string last(25, '\0');
  names.get(0, first);
  names.get(names.count() - 1, last);
  EXPECT_EQ(first.substr(0, 15), last.substr(0, 15));
  EXPECT_NE(first.substr(15), last.substr(15));
  EXPECT_TRUE(is_made_of(first + last, kMixed));
}

TEST(NumberedNames, DependsOnTheSecret) {
  std::string name(12, '\0');
  std::string same(12, '\0');
  std::string other(12, '\0');
  NumberedNames(test_secret(), kMixed, 12).get(5, name);
  NumberedNames(test_secret(), kMixed, 12).get(5, same);
  NumberedNames(test_secret(1), kMixed, 12).get(5, other);
  EXPECT_EQ(name, same);
  EXPECT_NE(name, other);
}

std::vector<std::string> drawn(Secret::Words words, const Alphabet& alphabet, std::size_t length) {
  NameDraws draws(words, alphabet);
  std::vector<std::string> names;
  std::string name(length, '\0');
  draws.begin(name);
  for (int i = 0; i < 20; ++i) {
    draws.next(name);
    names.push_back(name);
  }
  return names;
}

TEST(NameDraws, AreTheSameForTheSameState) {
  EXPECT_EQ(drawn({1, 2}, kMixed, 30), drawn({1, 2}, kMixed, 30));
  EXPECT_NE(drawn({1, 2}, kMixed, 30), drawn({2, 2}, kMixed, 30));
  EXPECT_NE(drawn({1, 2}, kMixed, 30), drawn({1, 3}, kMixed, 30));
}

TEST(NameDraws, DifferInTheLastFourCharacters) {
  const auto names = drawn({1, 2}, kFolded, 30);
  for (const std::string& name : names) {
    EXPECT_EQ(name.substr(0, 26), names[0].substr(0, 26));
    EXPECT_TRUE(is_made_of(name, kFolded)) << name;
  }
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
}

TEST(NameDraws, FillNamesOfAllLengths) {
  for (std::size_t length = 1; length <= 255; ++length)
    for (const std::string& name : drawn({1, 2}, kMixed, length))
      ASSERT_TRUE(is_made_of(name, kMixed)) << length;
}

}  // namespace
}  // namespace e2qcow::ext2
