// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/texts/known_words.h"

#include <gtest/gtest.h>

namespace e2qcow::ext2 {
namespace {

Text text(TextKind kind, std::string_view bytes, std::uint64_t inode = 0) {
  return {kind, 2, inode, 0, std::as_bytes(std::span(bytes))};
}

TEST(KnownWords, AreKeptWhereTheyBelong) {
  for (const std::string_view name : {".", "..", "lost+found"})
    EXPECT_TRUE(is_kept(text(TextKind::name, name)));
  EXPECT_TRUE(is_kept(text(TextKind::name, "#123", 123)));
  EXPECT_FALSE(is_kept(text(TextKind::name, "#123", 124)));
  Text of_kernel = text(TextKind::xattr_name, "selinux");
  EXPECT_FALSE(is_kept(of_kernel));
  of_kernel.is_well_known = true;
  EXPECT_TRUE(is_kept(of_kernel));
  EXPECT_FALSE(is_kept(text(TextKind::name, "selinux")));
  EXPECT_TRUE(is_kept(text(TextKind::error_function, "ext4_lookup")));
  EXPECT_FALSE(is_kept(text(TextKind::error_function, "ext4_lookup at home")));
  EXPECT_FALSE(is_kept(text(TextKind::error_function, "private")));
  EXPECT_TRUE(is_kept(text(TextKind::label, "anonymised")));
  EXPECT_FALSE(is_kept(text(TextKind::label, "lost+found")));
}

TEST(KnownWords, HaveParts) {
  for (const std::string_view part : {"lost+found", "FOUND", "selinux", "refcounts"})
    EXPECT_TRUE(is_in_known_word(part)) << part;
  for (const std::string_view other : {"lost+founds", "letter"})
    EXPECT_FALSE(is_in_known_word(other)) << other;
}

TEST(KnownWords, FillerIsXOrZeros) {
  for (const std::string_view filler : {"", "x", "xxx/xx", "/"}) EXPECT_TRUE(is_filler(filler)) << filler;
  EXPECT_TRUE(is_filler(std::string_view("\0\0", 2)));
  for (const std::string_view other : {"X", "xxy", "x.x"}) EXPECT_FALSE(is_filler(other)) << other;
}

}  // namespace
}  // namespace e2qcow::ext2
