// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/audit/strings.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace e2qcow::work {
namespace {

using ext2::TextKind;
using Strings = std::vector<std::string>;

Strings strings_of(TextKind kind, std::string_view text) {
  Strings strings;
  for_each_string({kind, 2, 12, 1000, std::as_bytes(std::span(text))}, [&](const ext2::Text& string) {
    strings.emplace_back(string.view());
    EXPECT_EQ(string.offset, 1000 + static_cast<std::uint64_t>(string.view().data() - text.data()));
  });
  return strings;
}

TEST(StringsOfAnAudit, ANameIsOne) {
  EXPECT_EQ(strings_of(TextKind::name, "letter.txt"), Strings{"letter.txt"});
  EXPECT_EQ(strings_of(TextKind::name, ""), Strings{});
}

TEST(StringsOfAnAudit, ATargetIsAlsoItsComponents) {
  EXPECT_EQ(strings_of(TextKind::link_target, "/home/me"), (Strings{"/home/me", "home", "me"}));
  EXPECT_EQ(strings_of(TextKind::link_target, "me"), Strings{"me"});
  EXPECT_EQ(strings_of(TextKind::link_target, "../me//"), (Strings{"../me//", "me"}));
}

TEST(StringsOfAnAudit, ALongTextIsCutIntoPieces) {
  EXPECT_EQ(strings_of(TextKind::inline_data, std::string(30, 'a') + std::string(30, 'b') + "cccccd"),
            (Strings{std::string(30, 'a') + "bb", std::string(28, 'b') + "cccc", "cd"}));
}

TEST(StringsOfAnAudit, OfAValueAreTheTextInItAndTheWhole) {
  EXPECT_EQ(strings_of(TextKind::xattr_value, std::string_view("me\0", 3)), Strings{"me"});
  EXPECT_EQ(strings_of(TextKind::xattr_value, std::string_view("\1\2letter\1", 9)),
            (Strings{"\1\2letter\1", "letter"}));
  EXPECT_EQ(strings_of(TextKind::xattr_value, std::string_view("\0\0", 2)), Strings{});
}

TEST(StringsOfAnAudit, OfOtherBytesAreRunsOfCharacters) {
  EXPECT_EQ(strings_of(TextKind::slack, std::string_view("\1ab\0abc\xff"
                                                         "d\xc3\xa9l\xc3",
                                                         14)),
            (Strings{"abc", "d\xc3\xa9l"}));
}

// The times of an inode, for example, which a dump keeps.
TEST(StringsOfAnAudit, AreNoEqualNumbersOneAfterTheOther) {
  EXPECT_EQ(strings_of(TextKind::slack, "XYegXYegXYeg"), Strings{});
  EXPECT_EQ(strings_of(TextKind::slack, "XYegXYeh"), Strings{"XYegXYeh"});
}

TEST(StringsOfAnAudit, HaveBitsByWhatRandomNamesAreMadeOf) {
  EXPECT_EQ(bits_in_any_case("abc"), 15);
  EXPECT_EQ(bits_in_any_case("ABC"), 15);
  EXPECT_EQ(bits("ABC"), 18);
  EXPECT_EQ(bits("a9_."), 5 + 6 + 6 + 7);
  EXPECT_EQ(bits("aaaa"), 5 + 3);
  EXPECT_EQ(bits("\1\2"), 2);
  EXPECT_EQ(bits("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"), 255);
}

}  // namespace
}  // namespace e2qcow::work
