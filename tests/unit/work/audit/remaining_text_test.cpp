// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/audit/remaining_text.h"

#include <gtest/gtest.h>

namespace e2qcow::work {
namespace {

using ext2::TextKind;

class RemainingTextTest : public testing::Test {
 protected:
  const RemainingText::Counts& add(TextKind kind, std::string_view text, bool is_well_known = false) {
    remaining_.add({kind, 2, 12, 1000, std::as_bytes(std::span(text)), is_well_known});
    return remaining_.counts(kind);
  }
  RemainingText remaining_{2};
};

TEST_F(RemainingTextTest, NamesMayBeRandom) {
  EXPECT_EQ(add(TextKind::name, "letter").undecided, 1);
  EXPECT_EQ(add(TextKind::name, "lost+found").kept, 1);
  EXPECT_EQ(add(TextKind::xattr_name, "selinux", true).kept, 1);
  EXPECT_EQ(add(TextKind::xattr_name, "selinux").undecided, 1);
  EXPECT_EQ(add(TextKind::xattr_name, "author").undecided, 2);
  EXPECT_EQ(remaining_.left(), 0);
}

TEST_F(RemainingTextTest, TargetsAndValuesAreFiller) {
  EXPECT_EQ(add(TextKind::link_target, "/xxxx/xx").filler, 1);
  EXPECT_EQ(add(TextKind::link_target, "/home/me").left, 1);
  EXPECT_EQ(add(TextKind::xattr_value, std::string_view("\0\0", 2)).filler, 1);
  EXPECT_EQ(add(TextKind::xattr_value, "me").left, 1);
}

TEST_F(RemainingTextTest, NothingElseIsThere) {
  for (const TextKind kind :
       {TextKind::deleted_name, TextKind::last_mount, TextKind::mount_options, TextKind::mmp_name,
        TextKind::inline_data, TextKind::slack, TextKind::journal_text})
    EXPECT_EQ(add(kind, "xx").left, 1);
  EXPECT_EQ(add(TextKind::error_function, "private").left, 1);
  EXPECT_EQ(add(TextKind::error_function, "ext4_iget").kept, 1);
  EXPECT_EQ(add(TextKind::slack, "x").kept, 1) << "a single byte is no text";
  EXPECT_EQ(remaining_.left(), 8);
}

TEST_F(RemainingTextTest, ListsTheFirstOnes) {
  for (const char* text : {"one", "two", "three"}) add(TextKind::slack, text);
  ASSERT_EQ(remaining_.first_left().size(), 2U);
  EXPECT_EQ(remaining_.first_left()[1].length, 3);
  EXPECT_EQ(remaining_.first_left()[1].offset, 1000);
}

}  // namespace
}  // namespace e2qcow::work
