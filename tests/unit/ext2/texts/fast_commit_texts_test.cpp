// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/texts/fast_commit_texts.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/bytes.h"
#include "tests/unit/ext2/texts/collected.h"

namespace e2qcow::ext2 {
namespace {

// A block of tags, each with its type and value. Source: the kernel's fs/ext4/fast_commit.h
Bytes block_of(const std::vector<std::pair<int, std::string>>& tags) {
  Bytes block(1024);
  std::uint64_t position = 0;
  for (const auto& [type, value] : tags) {
    set_le(block, position, static_cast<std::uint64_t>(type), 2);
    set_le(block, position + 2, value.size(), 2);
    std::ranges::copy(text_bytes(value), block.begin() + static_cast<std::ptrdiff_t>(position) + 4);
    position += 4 + value.size();
  }
  return block;
}

std::string entry(const std::string& name) {
  return std::string("\2\0\0\0\14\0\0\0", 8) + name;
}

TEST(FastCommitTexts, AreTheNamesOfChangedEntries) {
  const Bytes block =
      block_of({{9, std::string(8, '\0')}, {3, entry("letter")}, {5, entry("old")}, {8, "tailtail"}});
  EXPECT_TRUE(looks_like_fast_commits(block));
  const auto texts = collected([&](const TextVisitor& visit) {
    visit_fast_commits({block, 4096, 0}, visit);
  });
  EXPECT_EQ(texts, (Collected{{TextKind::name, "letter", 2, 12, 4096 + 24},
                              {TextKind::name, "old", 2, 12, 4096 + 42}}));
}

TEST(FastCommitTexts, IsWhatFollowsTheLastTag) {
  Bytes block = block_of({{9, std::string(8, '\0')}, {8, "tailtail"}});
  std::ranges::copy(text_bytes("remains"), block.begin() + 500);
  const auto texts = collected([&](const TextVisitor& visit) { visit_fast_commits({block, 0, 0}, visit); });
  EXPECT_EQ(texts, (Collected{{TextKind::slack, "remains", 0, 0, 500}}));
}

TEST(FastCommitTexts, OtherBlocksDoNotLookLikeThem) {
  EXPECT_FALSE(looks_like_fast_commits(Bytes(1024)));
  EXPECT_FALSE(looks_like_fast_commits(text_bytes(std::string(1024, 'a'))));
}

TEST(FastCommitTexts, ATagThatIsCutOffIsNotFollowed) {
  Bytes block = block_of({{3, entry("letter")}});
  set_le(block, 2, 2000, 2);
  const auto texts = collected([&](const TextVisitor& visit) { visit_fast_commits({block, 0, 0}, visit); });
  ASSERT_EQ(texts.size(), 1U);
  EXPECT_EQ(texts[0].kind, TextKind::slack);
}

}  // namespace
}  // namespace e2qcow::ext2
