// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/texts/inode_texts.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/bytes.h"
#include "tests/unit/ext2/texts/collected.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::uint64_t kLink = 0120777;
constexpr std::uint64_t kFile = 0100644;
constexpr std::uint64_t kDirectory = 0040755;
constexpr std::uint64_t kInline = 0x10000000;
constexpr std::uint64_t kEncrypted = 0x800;

Bytes inode(std::uint64_t mode, std::string_view map, std::uint64_t size = 0, std::uint64_t flags = 0) {
  Bytes bytes(256);
  set_le(bytes, 0, mode, 2);
  set_le(bytes, 4, size, 4);
  set_le(bytes, 26, 1, 2);
  set_le(bytes, 32, flags, 4);
  set_le(bytes, 128, 32, 2);
  std::ranges::copy(text_bytes(map), bytes.begin() + 40);
  return bytes;
}

Collected inode_texts(const Bytes& bytes) {
  return collected([&](const TextVisitor& visit) { visit_inode_texts({bytes, 4096, 12}, visit); });
}

TEST(InodeTexts, IsTheTargetOfAShortLink) {
  EXPECT_EQ(inode_texts(inode(kLink, "/home/me", 8)),
            (Collected{{TextKind::link_target, "/home/me", 12, 0, 4136}}));
}

TEST(InodeTexts, IsWhatIsLeftOfALongerTarget) {
  EXPECT_EQ(
      inode_texts(inode(kLink, std::string("/a\0remains", 10), 2)),
      (Collected{{TextKind::link_target, "/a", 12, 0, 4136}, {TextKind::slack, "remains", 12, 0, 4139}}));
}

TEST(InodeTexts, IsTheTargetOfADeletedLink) {
  Bytes bytes = inode(kLink, "/home/me");
  set_le(bytes, 26, 0, 2);
  EXPECT_EQ(inode_texts(bytes), (Collected{{TextKind::link_target, "/home/me", 12, 0, 4136}}));
}

TEST(InodeTexts, AnEncryptedTargetIsOne) {
  EXPECT_EQ(inode_texts(inode(kLink, std::string("\x0a\0cipher\0text", 13), 13, kEncrypted)),
            (Collected{{TextKind::encrypted_target, std::string("cipher\0text", 11), 12, 0, 4138}}));
}

TEST(InodeTexts, AreInlineDataByWhatTheInodeIs) {
  EXPECT_EQ(inode_texts(inode(kFile, "contents", 8, kInline)),
            (Collected{{TextKind::inline_data, "contents", 12, 0, 4136}}));
  EXPECT_EQ(inode_texts(inode(kLink, "/home/me", 8, kInline)),
            (Collected{{TextKind::link_target, "/home/me", 12, 0, 4136}}));
  const std::string entry("\2\0\0\0\14\0\0\0\70\0\6\1letter", 18);
  EXPECT_EQ(inode_texts(inode(kDirectory, entry, 60, kInline)),
            (Collected{{TextKind::name, "letter", 12, 12, 4148}}));
}

TEST(InodeTexts, BlockNumbersAreNone) {
  EXPECT_EQ(inode_texts(inode(kFile, "abcdefgh", 8)), Collected());
  Bytes extents = inode(kFile, "", 8, 0x80000);
  set_le(extents, 40, 0xf30a, 2);
  set_le(extents, 42, 1, 2);
  set_le(extents, 44, 4, 2);
  std::ranges::copy(text_bytes("abcdefghijkl"), extents.begin() + 52);
  EXPECT_EQ(inode_texts(extents), Collected());
  std::ranges::copy(text_bytes("remains"), extents.begin() + 64);
  EXPECT_EQ(inode_texts(extents), (Collected{{TextKind::slack, "remains", 12, 0, 4160}}));
}

TEST(InodeTexts, AreAttributesAndWhatIsAfterTheFields) {
  Bytes bytes = inode(kFile, "");
  set_le(bytes, 160, 0xea020000, 4);
  set_le(bytes, 164, 6, 1);
  set_le(bytes, 165, 1, 1);
  set_le(bytes, 166, 80, 2);
  set_le(bytes, 172, 2, 4);
  std::ranges::copy(text_bytes("author"), bytes.begin() + 180);
  std::ranges::copy(text_bytes("me"), bytes.begin() + 244);
  EXPECT_EQ(inode_texts(bytes), (Collected{{TextKind::xattr_name, "author", 12, 0, 4276},
                                           {TextKind::xattr_value, "me", 12, 0, 4340}}));
  set_le(bytes, 160, 0, 4);
  EXPECT_EQ(inode_texts(bytes).front().kind, TextKind::slack);
}

TEST(InodeTexts, OfASlotThatWasNeverUsedIsEverything) {
  Bytes bytes(256);
  std::ranges::copy(text_bytes("remains"), bytes.begin() + 200);
  EXPECT_EQ(inode_texts(bytes), (Collected{{TextKind::slack, "remains", 12, 0, 4296}}));
}

TEST(InodeTexts, ABlockLooksLikeInodesIfTheirModesDo) {
  Bytes block = inode(kFile, "");
  EXPECT_TRUE(looks_like_inode_block(block, 256));
  set_le(block, 0, 0xffff, 2);
  EXPECT_FALSE(looks_like_inode_block(block, 256));
  EXPECT_FALSE(looks_like_inode_block(Bytes(1024), 256));
}

}  // namespace
}  // namespace e2qcow::ext2
