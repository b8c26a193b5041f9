// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/texts/directory_texts.h"

#include <gtest/gtest.h>

#include "tests/support/directory_block.h"
#include "tests/unit/ext2/texts/collected.h"

namespace e2qcow::ext2 {
namespace {

Collected directory_texts(const Bytes& block, EntryHashes hashes = EntryHashes::none) {
  return collected([&](const TextVisitor& visit) {
    visit_directory({block, 8192, /*owner=*/2}, hashes, visit);
  });
}

void put(Bytes& block, std::size_t offset, std::string_view text) {
  std::ranges::copy(text_bytes(text), block.begin() + static_cast<std::ptrdiff_t>(offset));
}

// As the last entry of a block with checksums. Source: <ext2fs/ext2_fs.h>, struct ext2_dir_entry_tail
void put_checksum(Bytes& block) {
  set_le(block, block.size() - 8, 12, 2);
  set_le(block, block.size() - 5, 0xde, 1);
  put(block, block.size() - 4, "csum");
}

TEST(DirectoryTexts, AreTheNamesOfEntries) {
  const Bytes block = directory_block({{2, 12, "."}, {2, 12, ".."}, {12, 1000, "letter"}});
  EXPECT_EQ(directory_texts(block), (Collected{{TextKind::name, ".", 2, 2, 8200},
                                               {TextKind::name, "..", 2, 2, 8212},
                                               {TextKind::name, "letter", 2, 12, 8224}}));
}

TEST(DirectoryTexts, AreTheNamesOfUnusedEntries) {
  const Bytes block = directory_block({{0, 1024, "letter"}});
  EXPECT_EQ(directory_texts(block), (Collected{{TextKind::deleted_name, "letter", 2, 0, 8200}}));
}

TEST(DirectoryTexts, AreTheNamesOfEntriesThatALongerOneCovers) {
  Bytes block = directory_block({{12, 16, "a"}, {13, 20, "letter"}, {14, 988, "other"}});
  set_le(block, 4, 1024, 2);
  EXPECT_EQ(directory_texts(block), (Collected{{TextKind::name, "a", 2, 12, 8200},
                                               {TextKind::deleted_name, "letter", 2, 13, 8216},
                                               {TextKind::deleted_name, "other", 2, 14, 8236}}));
}

TEST(DirectoryTexts, IsWhateverIsNotZeroAfterAName) {
  Bytes block = directory_block({{12, 1024, "a"}});
  put(block, 500, "remains");
  EXPECT_EQ(directory_texts(block),
            (Collected{{TextKind::name, "a", 2, 12, 8200}, {TextKind::slack, "remains", 2, 0, 8692}}));
  block = directory_block({{12, 1024, "a"}});
  put(block, 10, "b");
  EXPECT_EQ(directory_texts(block).back(), (CollectedText{TextKind::slack, "b", 2, 0, 8202}));
}

TEST(DirectoryTexts, IsNotTheChecksum) {
  Bytes block = directory_block({{12, 1012, "a"}});
  put_checksum(block);
  EXPECT_EQ(directory_texts(block), (Collected{{TextKind::name, "a", 2, 12, 8200}}));
}

TEST(DirectoryTexts, IsTheRestOfABlockThatDoesNotParse) {
  Bytes block = directory_block({{12, 16, "a"}, {13, 7, "letter"}});
  EXPECT_EQ(directory_texts(block).front(), (CollectedText{TextKind::name, "a", 2, 12, 8200}));
  EXPECT_NE(directory_texts(block).back().bytes.find("letter"), std::string::npos);
  EXPECT_EQ(directory_texts(Bytes(4)), Collected());
}

// The index is no text, what is left past its end is.
TEST(DirectoryTexts, OfAHashTreeAreWhatIsPastTheIndex) {
  Bytes block = directory_block({{2, 12, "."}, {2, 1012, ".."}});
  set_le(block, 29, 8, 1);
  set_le(block, 32, 120, 2);  // limit
  set_le(block, 34, 2, 2);    // count
  put(block, 36, "blk1");
  put(block, 40, "hashblk2");
  put(block, 200, "remains");
  put(block, 1020, "csum");
  EXPECT_EQ(directory_texts(block), (Collected{{TextKind::slack, "remains", 2, 0, 8392},
                                               {TextKind::name, ".", 2, 2, 8200},
                                               {TextKind::name, "..", 2, 2, 8212}}));
  Bytes node = directory_block({{0, 1024, ""}});
  set_le(node, 8, 126, 2);
  set_le(node, 10, 1, 2);
  put(node, 12, "blk1");
  put(node, 600, "remains");
  put(node, 1020, "csum");
  EXPECT_EQ(directory_texts(node), (Collected{{TextKind::slack, "remains", 2, 0, 8792}}));
}

TEST(DirectoryTexts, AreNotTheHashesAfterEncryptedNames) {
  Bytes block = directory_block({{12, 1024, "abcdefghijklmnop"}});
  put(block, 24, "hashhash");
  EXPECT_EQ(directory_texts(block, EntryHashes::after_names).size(), 1);
  EXPECT_EQ(directory_texts(block).size(), 2);
}

TEST(DirectoryTexts, ABlockLooksLikeADirectoryIfEntriesFillIt) {
  EXPECT_TRUE(looks_like_directory(directory_block({{2, 12, "."}, {2, 12, ".."}, {12, 1000, "letter"}})));
  EXPECT_FALSE(looks_like_directory(directory_block({{2, 12, "."}, {2, 13, ".."}})));
  EXPECT_FALSE(looks_like_directory(directory_block({{0, 1024, ""}})));
  EXPECT_FALSE(looks_like_directory(Bytes(1024)));
  EXPECT_FALSE(looks_like_directory(text_bytes(std::string(1024, 'a'))));
}

}  // namespace
}  // namespace e2qcow::ext2
