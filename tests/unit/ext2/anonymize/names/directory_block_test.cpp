// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/names/directory_block.h"

#include <ext2fs/ext2_fs.h>
#include <gtest/gtest.h>

#include "ext2/anonymize/names/index_block.h"
#include "ext2/structures/checksum.h"
#include "tests/support/directory_names.h"
#include "tests/support/index_block.h"
#include "tests/support/test_secret.h"

namespace e2qcow::ext2 {
namespace {

using Names = std::vector<std::string>;

constexpr std::size_t kTailOffset = 1024 - 12;
constexpr std::uint32_t kSeed = 0x1234'5678;  // of checksums

// Whatever the seed, as ext2fs_dirent_csum_set() makes it.
std::uint32_t right_checksum(const Bytes& block) {
  return crc32c(kSeed, std::span(block).first(kTailOffset));
}
std::uint32_t checksum_in(const Bytes& block) {
  return load_le<std::uint32_t>(block, kTailOffset + 8);
}

class DirectoryBlock : public testing::Test {
 protected:
  void anonymize(Bytes& block, bool has_checksums = false) {
    const DirectoryNamer namer(naming_, rules_);
    anonymize_directory_block(namer, {has_checksums}, block, tally_);
  }
  std::string new_name(std::string_view name) const {
    return DirectoryNamer(naming_, rules_).replacement(name, 0).name;
  }
  // With an entry that is the tail.
  static Bytes with_tail(std::uint32_t wrong_by = 0) {
    Bytes block = directory_block({{12, 12, ".", kDirectoryType},
                                   {2, 12, "..", kDirectoryType},
                                   {13, kTailOffset - 24, "a secret name"},
                                   {0, 12, "", 0xde}});
    set_le(block, kTailOffset + 8, right_checksum(block) ^ wrong_by, 4);
    return block;
  }

  const Naming naming_{test_secret(), {}, {}};
  DirectoryRules rules_{.inode = 12};
  Tally tally_;
};

TEST_F(DirectoryBlock, HasNewNamesAndKeepsTheRest) {
  Bytes block = directory_block({{12, 12, ".", kDirectoryType},
                                 {2, 12, "..", kDirectoryType},
                                 {13, 24, "budget.xls"},
                                 {14, 976, "plan", 7}});
  anonymize(block);
  const Bytes expected = directory_block({{12, 12, ".", kDirectoryType},
                                          {2, 12, "..", kDirectoryType},
                                          {13, 24, new_name("budget.xls")},
                                          {14, 976, new_name("plan"), 7}});
  EXPECT_EQ(block, expected);
  EXPECT_NE(new_name("budget.xls"), "budget.xls");
  EXPECT_EQ(tally_.replaced, 2);
  EXPECT_EQ(tally_.not_parsed, 0);
}

TEST_F(DirectoryBlock, IsClearedBetweenNames) {
  Bytes block = directory_block({{13, 100, "budget.xls"}, {14, 924, "plan"}});
  Bytes dirty = block;
  std::ranges::fill(std::span(dirty).subspan(18, 100 - 18), std::byte{'s'});
  std::ranges::fill(std::span(dirty).subspan(100 + 12), std::byte{'s'});
  anonymize(block);
  anonymize(dirty);
  EXPECT_EQ(dirty, block);
}

TEST_F(DirectoryBlock, HasNothingInEntriesThatAreNotInUse) {
  Bytes block = directory_block({{0, 24, "deleted name"}, {14, 1000, "plan"}});
  anonymize(block);
  EXPECT_TRUE(is_zero(std::span(block).subspan(8, 16)));
  EXPECT_EQ(names_in_block(block), Names{new_name("plan")});
}

TEST_F(DirectoryBlock, GivesTinyNamesRoom) {
  Bytes block = directory_block({{13, 12, "a"}, {14, 12, "bc"}, {15, 1000, "def"}});
  anonymize(block);
  const auto names = names_in_block(block);
  EXPECT_EQ(names, (Names{new_name("a"), new_name("bc"), new_name("def")}));
  for (const std::string& name : names) EXPECT_EQ(name.size(), 4);
}

TEST_F(DirectoryBlock, KeepsLostAndFoundInTheRootAlone) {
  const Bytes before = directory_block({{11, 1024, "lost+found", kDirectoryType}});
  Bytes block = before;
  rules_.inode = EXT2_ROOT_INO;
  anonymize(block);
  EXPECT_EQ(block, before);
  rules_.inode = 12;
  anonymize(block);
  EXPECT_NE(block, before);
}

// e2fsck looks at it.
TEST_F(DirectoryBlock, KeepsThatDotsAreNotTerminated) {
  Bytes block = directory_block({{12, 12, ".", kDirectoryType}, {2, 1012, "..", kDirectoryType}});
  const Bytes clean = block;
  std::ranges::fill(std::span(block).subspan(9, 3), std::byte{'s'});
  anonymize(block);
  EXPECT_EQ(block[9], std::byte{'x'});
  block[9] = std::byte{0};
  EXPECT_EQ(block, clean);
}

TEST_F(DirectoryBlock, KeepsARightChecksumRightAndAWrongOneWrong) {
  for (const std::uint32_t wrong_by : {0U, 0x800U}) {
    Bytes block = with_tail(wrong_by);
    anonymize(block, true);
    EXPECT_EQ(checksum_in(block), right_checksum(block) ^ wrong_by);
    EXPECT_EQ(names_in_block(block)[2], new_name("a secret name"));
  }
}

TEST_F(DirectoryBlock, HasNothingInPlaceOfTheChecksumIfThereAreNone) {
  Bytes block = with_tail();
  anonymize(block, false);
  EXPECT_EQ(checksum_in(block), 0);
}

TEST_F(DirectoryBlock, IsZeroFromTheFirstInvalidEntryOn) {
  Bytes block = directory_block({{13, 24, "budget.xls"}, {14, 1000, "plan"}});
  set_le(block, 24 + 4, 7, 2);
  std::ranges::fill(std::span(block).subspan(40), std::byte{'s'});
  anonymize(block);
  EXPECT_EQ(names_in_block(block), Names{new_name("budget.xls")});
  EXPECT_TRUE(is_zero(std::span(block).subspan(24)));
  EXPECT_EQ(tally_.not_parsed, 1);
}

TEST_F(DirectoryBlock, KeepsTheTailIfTheEntriesBreakOff) {
  for (const std::uint32_t wrong_by : {0U, 0x800U}) {
    Bytes block = with_tail();
    set_le(block, 24 + 4, 7, 2);
    set_le(block, kTailOffset + 8, right_checksum(block) ^ wrong_by, 4);
    anonymize(block, true);
    EXPECT_TRUE(is_zero(std::span(block).subspan(24, kTailOffset - 24)));
    EXPECT_EQ(load_le<std::uint8_t>(block, kTailOffset + 7), 0xde);
    EXPECT_EQ(checksum_in(block), right_checksum(block) ^ wrong_by);
  }
}

// A root often has these bytes from its life as a leaf.
TEST_F(DirectoryBlock, TakesNoEntryForTheTail) {
  Bytes block = directory_block({{13, 1024, "budget.xls"}});
  const Bytes tail = directory_block({{0, 12, "", 0xde}}, 12);
  std::ranges::copy(tail, block.begin() + kTailOffset);
  anonymize(block, true);
  EXPECT_TRUE(is_zero(std::span(block).subspan(18)));
}

TEST_F(DirectoryBlock, KeepsHashesBesideNamesThatAreEncryptedAndIgnoreCase) {
  rules_.flags = EXT4_ENCRYPT_FL | EXT4_CASEFOLD_FL;
  Bytes block = directory_block({{13, 1024, "eighteen characters"}});
  std::ranges::fill(std::span(block).subspan(8 + 19, 1), std::byte{'p'});
  std::ranges::fill(std::span(block).subspan(8 + 20, 8), std::byte{'h'});
  std::ranges::fill(std::span(block).subspan(8 + 28), std::byte{'s'});
  anonymize(block);
  EXPECT_EQ(part_of(block, 8 + 19, 1), filled(1, 0));
  EXPECT_EQ(part_of(block, 8 + 20, 8), filled(8, 'h'));
  EXPECT_TRUE(is_zero(std::span(block).subspan(8 + 28)));
}

TEST_F(DirectoryBlock, SharesItsNamesWithEntriesInAnInode) {
  Bytes entries = directory_block({{13, 20, "budget.xls"}, {14, 36, "plan"}}, 56);
  anonymize_entries(DirectoryNamer(naming_, rules_), entries, tally_);
  EXPECT_EQ(names_in_block(entries), (Names{new_name("budget.xls"), new_name("plan")}));
}

class IndexOfDirectory : public DirectoryBlock {
 protected:
  IndexOfDirectory() { rules_.flags = EXT2_INDEX_FL; }

  // Source: libext2fs, ext2fs_dx_csum(): the entries in use, what is reserved in the tail, and zeros.
  static std::uint32_t right_checksum_of(const Bytes& block, std::size_t end) {
    std::uint32_t crc = crc32c(kSeed, std::span(block).first(end));
    crc = crc32c(crc, std::span(block).subspan(1016, 4));
    return crc32c(crc, Bytes(4));
  }
  static void put_checksum(Bytes& block, std::size_t end, std::uint32_t wrong_by) {
    std::ranges::fill(std::span(block).subspan(end, 1016 - end), std::byte{'s'});
    set_le(block, 1016, 0x7373'7373, 4);
    set_le(block, 1020, right_checksum_of(block, end) ^ wrong_by, 4);
  }
};

const std::vector<IndexEntry> kTwo{{0, 1}, {0x4000'0000, 2}};

TEST_F(IndexOfDirectory, KeepsItsEntriesAndNothingElse) {
  for (Bytes block : {index_root(kTwo), index_node(kTwo)}) {
    const Bytes clean = block;
    const std::size_t end = parse_index_block(block)->end();
    std::ranges::fill(std::span(block).subspan(end), std::byte{'s'});
    anonymize(block);
    EXPECT_EQ(block, clean);
  }
}

TEST_F(IndexOfDirectory, KeepsARightChecksumRightAndAWrongOneWrong) {
  for (const std::uint32_t wrong_by : {0U, 0x800U})
    for (Bytes block : {index_root(kTwo, true), index_node(kTwo, true)}) {
      const std::size_t end = parse_index_block(block)->end();
      put_checksum(block, end, wrong_by);
      anonymize(block, true);
      EXPECT_EQ(load_le<std::uint32_t>(block, 1020), right_checksum_of(block, end) ^ wrong_by);
      EXPECT_TRUE(is_zero(std::span(block).subspan(end, 1020 - end)));
    }
}

TEST_F(IndexOfDirectory, HasNothingAfterItsDots) {
  Bytes block = index_root(kTwo);
  const Bytes clean = block;
  std::ranges::fill(std::span(block).subspan(10, 2), std::byte{'s'});
  set_le(block, 23, 's', 1);
  anonymize(block);
  EXPECT_EQ(block, clean);
}

// Programs see whether it is zero.
TEST_F(IndexOfDirectory, HasNoTextInTheReservedFieldOfItsRoot) {
  Bytes block = index_root(kTwo);
  set_le(block, 24, 0x7373'7373, 4);
  anonymize(block);
  EXPECT_EQ(load_le<std::uint32_t>(block, 24), 1);
}

TEST_F(IndexOfDirectory, CountsOnlyInADirectoryWithTheFlag) {
  rules_.flags = 0;
  Bytes block = index_root(kTwo);
  anonymize(block);
  EXPECT_TRUE(is_zero(std::span(block).subspan(24)));
}

}  // namespace
}  // namespace e2qcow::ext2
