// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/texts/xattr_texts.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/bytes.h"
#include "tests/unit/ext2/texts/collected.h"

namespace e2qcow::ext2 {
namespace {

struct Attribute {
  int index;
  std::string name;
  std::string value;
};

// A block of extended attributes. Source: the kernel's fs/ext4/xattr.h
Bytes xattr_block(const std::vector<Attribute>& attributes) {
  Bytes block(1024);
  set_le(block, 0, 0xea020000, 4);
  std::uint64_t position = 32;
  std::uint64_t value = block.size();
  for (const Attribute& attribute : attributes) {
    value -= (attribute.value.size() + 3) / 4 * 4;
    set_le(block, position, attribute.name.size(), 1);
    set_le(block, position + 1, static_cast<std::uint64_t>(attribute.index), 1);
    set_le(block, position + 2, value, 2);
    set_le(block, position + 8, attribute.value.size(), 4);
    std::ranges::copy(text_bytes(attribute.name), block.begin() + static_cast<std::ptrdiff_t>(position) + 16);
    std::ranges::copy(text_bytes(attribute.value), block.begin() + static_cast<std::ptrdiff_t>(value));
    position += 16 + (attribute.name.size() + 3) / 4 * 4;
  }
  return block;
}

Collected xattr_texts(const Bytes& block) {
  return collected([&](const TextVisitor& visit) { visit_xattr_block({block, 2048, 12}, visit); });
}

TEST(XattrTexts, AreNamesAndValues) {
  EXPECT_EQ(
      xattr_texts(xattr_block({{1, "author", "me"}})),
      (Collected{{TextKind::xattr_name, "author", 12, 0, 2096}, {TextKind::xattr_value, "me", 12, 0, 3068}}));
}

TEST(XattrTexts, AreWellKnownWithTheirPrefixOnly) {
  std::vector<bool> well_known;
  for (const int prefix : {6, 1})
    visit_xattr_block({xattr_block({{prefix, "selinux", ""}}), 2048, 12},
                      [&](const Text& text) { well_known.push_back(text.is_well_known); });
  EXPECT_EQ(well_known, (std::vector<bool>{true, false}));
}

TEST(XattrTexts, AreNotThoseOfAcls) {
  for (const int index : {2, 3}) EXPECT_EQ(xattr_texts(xattr_block({{index, "", "numbers"}})), Collected());
}

TEST(XattrTexts, OfAnEncryptionContextAreWhatIdentifiesIt) {
  const Collected texts =
      xattr_texts(xattr_block({{9, "c", std::string("\1\1\1\1") + "descript" + "nonce-of-16bytes"}}));
  ASSERT_EQ(texts.size(), 3U);
  EXPECT_EQ(texts[1], (CollectedText{TextKind::encryption, "descript", 12, 0, 3048}));
  EXPECT_EQ(texts[2], (CollectedText{TextKind::encryption, "nonce-of-16bytes", 12, 0, 3056}));
}

TEST(XattrTexts, IsWhatIsLeftBetweenThem) {
  Bytes block = xattr_block({{1, "author", "me"}});
  std::ranges::copy(text_bytes("remains"), block.begin() + 500);
  EXPECT_EQ(xattr_texts(block).back(), (CollectedText{TextKind::slack, "remains", 12, 0, 2548}));
}

TEST(XattrTexts, IsAllOfABlockWithoutTheMagic) {
  Bytes block(1024);
  std::ranges::copy(text_bytes("remains"), block.begin() + 500);
  EXPECT_EQ(xattr_texts(block), (Collected{{TextKind::slack, "remains", 12, 0, 2548}}));
}

TEST(XattrTexts, ValuesOutsideOfTheBlockAreNotFollowed) {
  Bytes block = xattr_block({{1, "author", "me"}});
  set_le(block, 34, 0xfff0, 2);
  EXPECT_EQ(xattr_texts(block).front().kind, TextKind::xattr_name);
  set_le(block, 34, 4, 2);
  EXPECT_EQ(xattr_texts(block).front().kind, TextKind::xattr_name);
  set_le(block, 34, 1020, 2);
  set_le(block, 40, 5, 4);
  EXPECT_EQ(xattr_texts(block).front().kind, TextKind::xattr_name);
}

TEST(XattrTexts, InlineDataIsReadAsWhatItIs) {
  const Bytes block = xattr_block({{7, "data", "contents"}});
  const TextPlace area = TextPlace{block, 0, 12}.part(32, block.size() - 32);
  const auto kind_of = [&](InlineContents contents) {
    return collected([&](const TextVisitor& visit) { visit_xattrs(area, 32, contents, visit); }).at(1).kind;
  };
  EXPECT_EQ(kind_of(InlineContents::file), TextKind::inline_data);
  EXPECT_EQ(kind_of(InlineContents::link), TextKind::link_target);
  EXPECT_EQ(kind_of(InlineContents::encrypted_link), TextKind::encrypted_target);
}

}  // namespace
}  // namespace e2qcow::ext2
