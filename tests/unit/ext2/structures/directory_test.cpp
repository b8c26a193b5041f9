// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/structures/directory.h"

#include <gtest/gtest.h>

#include "tests/support/directory_block.h"

namespace e2qcow::ext2 {
namespace {

std::vector<std::string> names_in(const Bytes& block) {
  std::vector<std::string> names;
  for_each_entry(block, [&](const DirectoryEntry& entry) {
    names.push_back(std::string(entry.name) + "=" + std::to_string(entry.inode));
  });
  return names;
}

using Names = std::vector<std::string>;

TEST(Directory, VisitsItsEntriesInOrder) {
  EXPECT_EQ(names_in(directory_block({{11, 12, "."}, {2, 12, ".."}, {12, 1000, "letter"}})),
            (Names{".=11", "..=2", "letter=12"}));
}

TEST(Directory, SkipsWhatWasDeleted) {
  EXPECT_EQ(names_in(directory_block({{0, 16, "gone"}, {12, 1008, "here"}})), Names{"here=12"});
}

TEST(Directory, EndsIfARecordIsInvalid) {
  EXPECT_EQ(names_in(directory_block({{12, 16, "a"}, {13, 2000, "b"}})), Names{"a=12"});
  EXPECT_EQ(names_in(directory_block({{12, 16, "a"}, {13, 4, "b"}})), Names{"a=12"});
  EXPECT_EQ(names_in(directory_block({{12, 16, "a"}, {13, 12, "longer than 4"}})), Names{"a=12"});
  EXPECT_EQ(names_in(filled(1024, 0xff)), Names{});
}

TEST(Directory, HasNothingInABlockOfZerosOrNone) {
  EXPECT_EQ(names_in(Bytes(1024)), Names{});
  EXPECT_EQ(names_in({}), Names{});
  EXPECT_EQ(names_in(Bytes(7)), Names{});
}

TEST(Directory, KnowsRecordsOf64KiB) {
  Bytes block = directory_block({{12, 8, "whole"}}, 65536);
  set_le(block, 4, 65535, 2);
  EXPECT_EQ(names_in(block), Names{"whole=12"});
  set_le(block, 4, 0, 2);
  EXPECT_EQ(names_in(block), Names{"whole=12"});
}

}  // namespace
}  // namespace e2qcow::ext2
