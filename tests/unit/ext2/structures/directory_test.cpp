// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/structures/directory.h"

#include <gtest/gtest.h>

#include "tests/support/bytes.h"

namespace e2qcow::ext2 {
namespace {

struct Entry {
  std::uint64_t inode;
  std::uint64_t record_length;
  std::string name;
  std::uint64_t type = 1;
};

Bytes block_of(const std::vector<Entry>& entries, std::size_t size = 1024) {
  Bytes block(size);
  std::uint64_t position = 0;
  for (const Entry& entry : entries) {
    set_le(block, position, entry.inode, 4);
    set_le(block, position + 4, entry.record_length, 2);
    set_le(block, position + 6, entry.name.size(), 1);
    set_le(block, position + 7, entry.type, 1);
    std::ranges::copy(text_bytes(entry.name), block.begin() + static_cast<std::ptrdiff_t>(position) + 8);
    position += entry.record_length;
  }
  return block;
}

std::vector<std::string> names_in(const Bytes& block) {
  std::vector<std::string> names;
  for_each_entry(block, [&](const DirectoryEntry& entry) {
    names.push_back(std::string(entry.name) + "=" + std::to_string(entry.inode));
  });
  return names;
}

using Names = std::vector<std::string>;

TEST(Directory, TellsItsEntriesInOrder) {
  EXPECT_EQ(names_in(block_of({{11, 12, "."}, {2, 12, ".."}, {12, 1000, "letter"}})),
            (Names{".=11", "..=2", "letter=12"}));
}

TEST(Directory, SkipsWhatWasDeleted) {
  EXPECT_EQ(names_in(block_of({{0, 16, "gone"}, {12, 1008, "here"}})), Names{"here=12"});
}

TEST(Directory, EndsWhereARecordMakesNoSense) {
  EXPECT_EQ(names_in(block_of({{12, 16, "a"}, {13, 2000, "b"}})), Names{"a=12"});
  EXPECT_EQ(names_in(block_of({{12, 16, "a"}, {13, 4, "b"}})), Names{"a=12"});
  EXPECT_EQ(names_in(block_of({{12, 16, "a"}, {13, 12, "longer than 4"}})), Names{"a=12"});
  EXPECT_EQ(names_in(filled(1024, 0xff)), Names{});
}

TEST(Directory, HasNothingInABlockOfZerosOrNone) {
  EXPECT_EQ(names_in(Bytes(1024)), Names{});
  EXPECT_EQ(names_in({}), Names{});
  EXPECT_EQ(names_in(Bytes(7)), Names{});
}

TEST(Directory, KnowsRecordsOf64KiB) {
  Bytes block = block_of({{12, 8, "whole"}}, 65536);
  set_le(block, 4, 65535, 2);
  EXPECT_EQ(names_in(block), Names{"whole=12"});
  set_le(block, 4, 0, 2);
  EXPECT_EQ(names_in(block), Names{"whole=12"});
}

}  // namespace
}  // namespace e2qcow::ext2
