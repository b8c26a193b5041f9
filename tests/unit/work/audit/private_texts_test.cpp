// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/audit/private_texts.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/memory_file.h"

namespace e2qcow::work {
namespace {

using ext2::TextKind;

class PrivateTextsTest : public testing::Test {
 protected:
  void add(TextKind kind, std::uint64_t owner, std::string_view text, std::uint64_t offset = 0) {
    texts_.add({kind, owner, 12, offset, std::as_bytes(std::span(text))});
  }
  std::vector<std::string> all() {
    texts_.finish();
    std::vector<std::string> strings;
    texts_.for_each_from(0, [&](const PrivateTexts::String& string) {
      strings.push_back(string.bytes);
      return true;
    });
    return strings;
  }
  using Strings = std::vector<std::string>;

  PrivateTexts texts_{std::make_unique<MemoryFile>()};
};

TEST_F(PrivateTextsTest, AreThereAgain) {
  add(TextKind::name, 2, "letter", 100);
  add(TextKind::label, 0, "private", 1144);
  EXPECT_EQ(all(), (Strings{"letter", "private"}));
  const auto first = texts_.read(0);
  EXPECT_EQ(first.kind, TextKind::name);
  EXPECT_EQ(first.owner, 2);
  EXPECT_EQ(first.inode, 12);
  EXPECT_EQ(first.offset, 100);
  EXPECT_EQ(texts_.count(), 2);
  EXPECT_EQ(texts_.count(TextKind::label), 1);
  EXPECT_EQ(texts_.bytes(), 13);
}

TEST_F(PrivateTextsTest, AShortOneCountsInEachDirectoryALongOneOnce) {
  for (const std::uint64_t owner : {2, 3, 2}) add(TextKind::name, owner, "data");
  for (const std::uint64_t owner : {2, 3, 2}) add(TextKind::name, owner, "a very long name of a file");
  EXPECT_EQ(all(), (Strings{"data", "data", "a very long name of a file"}));
}

TEST_F(PrivateTextsTest, AreNoWordsThatADumpKeepsAndNoFiller) {
  add(TextKind::name, 2, "lost+found");
  add(TextKind::error_function, 0, "ext4_iget");
  add(TextKind::link_target, 12, "xx/x");
  EXPECT_EQ(all(), Strings{});
  EXPECT_EQ(texts_.kept(), 2);
  EXPECT_EQ(texts_.fillers(), 3);
  EXPECT_TRUE(texts_.kept_functions().contains("ext4_iget"));
}

TEST_F(PrivateTextsTest, AreNoFewCharactersAmongUnknownBytes) {
  for (const TextKind kind : {TextKind::slack, TextKind::journal_text}) {
    add(kind, 2, "abcde");
    add(kind, 2, "letter");
  }
  add(TextKind::deleted_name, 3, "abcde");
  EXPECT_EQ(all(), (Strings{"letter", "abcde"}));
}

TEST_F(PrivateTextsTest, AreReadInParts) {
  for (int i = 0; i < 100'000; ++i) add(TextKind::name, 2, fmt::format("name-{}", i));
  texts_.finish();
  int count = 0;
  std::uint64_t id = 0;
  while (id < texts_.end()) {
    int portion = 0;
    id = texts_.for_each_from(id, [&](const PrivateTexts::String& string) {
      EXPECT_EQ(string.bytes, fmt::format("name-{}", count));
      ++count;
      return ++portion < 777;
    });
  }
  EXPECT_EQ(count, 100'000);
}

TEST_F(PrivateTextsTest, AreCountedByTheirBits) {
  add(TextKind::name, 2, "abc");
  add(TextKind::name, 2, "bcd");
  EXPECT_EQ(texts_.by_bits()[15].count, 2);
  EXPECT_EQ(texts_.by_bits()[15].min_length, 3);
}

}  // namespace
}  // namespace e2qcow::work
