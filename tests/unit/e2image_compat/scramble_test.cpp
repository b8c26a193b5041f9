// SPDX-License-Identifier: GPL-2.0-or-later
#include "e2image_compat/scramble.h"

#include <gtest/gtest.h>

#include "tests/support/bytes.h"

namespace e2qcow::compat {
namespace {

constexpr std::size_t kBlock = 1024;

// A directory block, one entry after the other.
class DirectoryBlock {
 public:
  void add(const std::string& name, std::size_t length) {
    set_le(bytes_, end_, 12, 4);
    set_le(bytes_, end_ + 4, length, 2);
    set_le(bytes_, end_ + 6, name.size(), 1);
    for (std::size_t i = 0; i < name.size(); ++i) bytes_[end_ + 8 + i] = static_cast<std::byte>(name[i]);
    end_ += length;
  }
  std::string name(std::size_t offset, std::size_t length) const {
    return {reinterpret_cast<const char*>(bytes_.data()) + offset + 8, length};
  }
  Bytes& bytes() { return bytes_; }

 private:
  Bytes bytes_ = Bytes(kBlock);
  std::size_t end_ = 0;
};

std::vector<std::string> scramble(DirectoryBlock& block) {
  std::vector<std::string> complaints;
  NameScrambler().scramble(block.bytes(), [&](const std::string& what) { complaints.push_back(what); });
  return complaints;
}

TEST(NameScrambler, NumbersNamesOfEachLengthAndKeepsDots) {
  DirectoryBlock block;
  block.add(".", 12);
  block.add("..", 12);
  block.add("secret", 16);
  block.add("hidden", 16);
  block.add("xy", kBlock - 56);
  EXPECT_TRUE(scramble(block).empty());
  EXPECT_EQ(block.name(0, 1), ".");
  EXPECT_EQ(block.name(12, 2), "..");
  EXPECT_EQ(block.name(24, 6), "AAAAAA");
  EXPECT_EQ(block.name(40, 6), "BAAAAA");
  EXPECT_EQ(block.name(56, 2), "AA");
}

TEST(NameScrambler, ZeroesWhatIsUnused) {
  DirectoryBlock block;
  block.add("name", kBlock);
  block.bytes()[500] = std::byte{'x'};
  scramble(block);
  EXPECT_EQ(block.bytes()[500], std::byte{0});
}

TEST(NameScrambler, LeavesNothingOfADamagedBlock) {
  DirectoryBlock block;
  block.add("name", 16);
  block.add("secret", 7);
  EXPECT_EQ(scramble(block), std::vector<std::string>{"bad rec_len (7)"});
  EXPECT_EQ(block.name(16, 6), std::string(6, '\0'));
}

TEST(NameScrambler, CutsANameThatIsLongerThanItsEntry) {
  DirectoryBlock block;
  block.add("name", 12);
  block.add("another", kBlock - 12);
  block.bytes()[6] = std::byte{200};
  EXPECT_EQ(scramble(block), std::vector<std::string>{"bad name_len (200)"});
  EXPECT_EQ(block.name(0, 4), "AAAA");
  EXPECT_EQ(block.name(12, 7), "AAAAAAA");
}

TEST(DirectoryChecksum, IsSetIfThereIsRoomForIt) {
  DirectoryBlock block;
  block.add("name", kBlock - 12);
  Bytes without = block.bytes();
  set_directory_checksum(without, 1);
  EXPECT_TRUE(without == block.bytes());
  set_le(block.bytes(), kBlock - 12 + 4, 12, 2);
  set_le(block.bytes(), kBlock - 12 + 7, 0xde, 1);
  Bytes with = block.bytes();
  set_directory_checksum(with, 1);
  EXPECT_FALSE(with == block.bytes());
}

}  // namespace
}  // namespace e2qcow::compat
