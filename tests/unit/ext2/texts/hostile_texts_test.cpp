// SPDX-License-Identifier: GPL-2.0-or-later
// Bytes of any kind in place of structures: what is visited lies inside of them. Most useful under ./dev
// asan.
#include <gtest/gtest.h>

#include "ext2/texts/directory_texts.h"
#include "ext2/texts/fast_commit_texts.h"
#include "ext2/texts/inode_texts.h"
#include "ext2/texts/superblock_texts.h"
#include "ext2/texts/xattr_texts.h"
#include "tests/support/random.h"

namespace e2qcow::ext2 {
namespace {

// Mostly small numbers, which structures may take for their own.
Bytes hostile_bytes(Random& random, std::size_t size) {
  Bytes bytes(size);
  for (std::byte& byte : bytes) {
    const std::uint64_t kind = random.below(4);
    byte = static_cast<std::byte>(kind == 0 ? random.below(256) : kind == 1 ? random.below(16) : 0);
  }
  return bytes;
}

template <typename Visit>
void expect_inside(std::span<const std::byte> bytes, Visit visit) {
  constexpr std::uint64_t kOffset = 4096;
  std::uint64_t sum = 0;
  const TextVisitor look = [&](const Text& text) {
    ASSERT_GE(text.offset, kOffset);
    ASSERT_LE(text.offset + text.bytes.size(), kOffset + bytes.size());
    ASSERT_EQ(text.bytes.data(), bytes.data() + (text.offset - kOffset));
    sum += text.bytes.size();
  };
  visit(TextPlace{bytes, kOffset, 0}, look);
  EXPECT_LE(sum, 4 * bytes.size());
}

TEST(HostileTexts, AreInsideOfTheirBytes) {
  Random random;
  for (int round = 0; round < rounds(2000); ++round) {
    Bytes block = hostile_bytes(random, 1024);
    if (random.below(2) == 0) set_le(block, 0, 0xea020000, 4);
    if (random.below(2) == 0) set_le(block, 128, random.below(140), 2);
    if (random.below(2) == 0) set_le(block, 160, 0xea020000, 4);
    expect_inside(block, [](const TextPlace& place, const TextVisitor& visit) {
      visit_directory(place, EntryHashes::after_names, visit);
    });
    expect_inside(block, visit_xattr_block);
    expect_inside(block, visit_fast_commits);
    expect_inside(block, visit_superblock);
    expect_inside(block, visit_mmp);
    const auto inode = std::span<const std::byte>(block).first(256);
    expect_inside(inode, visit_inode_texts);
    expect_inside(std::span<const std::byte>(block).first(random.below(60)),
                  [](const TextPlace& place, const TextVisitor& visit) {
                    visit_directory(place, EntryHashes::none, visit);
                  });
    looks_like_directory(block);
    looks_like_fast_commits(block);
    looks_like_inode_block(block, 256);
  }
}

}  // namespace
}  // namespace e2qcow::ext2
