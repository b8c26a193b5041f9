// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/structures/xattr.h"

#include <gtest/gtest.h>

#include "tests/support/bytes.h"

namespace e2qcow::ext2 {
namespace {

// As <ext2fs/ext2_ext_attr.h> has it: name length, index, offset, inode and size of the value, hash, name.
Bytes entry(const std::string& name, std::uint32_t value_inode) {
  Bytes bytes(16);
  set_le(bytes, 0, name.size(), 1);
  set_le(bytes, 1, 7, 1);
  set_le(bytes, 2, 0x40, 2);
  set_le(bytes, 4, value_inode, 4);
  set_le(bytes, 8, 100, 4);
  const Bytes text = text_bytes(name);
  bytes.insert(bytes.end(), text.begin(), text.end());
  bytes.resize((bytes.size() + 3) / 4 * 4);
  return bytes;
}

std::vector<std::string> attribute_names(const Bytes& entries) {
  std::vector<std::string> names;
  for_each_xattr(entries, [&](const XattrEntry& found) {
    names.push_back(std::string(found.name) + "=" + std::to_string(found.value_inode));
    EXPECT_EQ(found.prefix, XattrPrefix::system);
    EXPECT_EQ(found.value_offset, 0x40U);
    EXPECT_EQ(found.value_size, 100U);
  });
  return names;
}

TEST(ForEachXattr, VisitsTheEntriesUpToTheEndMark) {
  Bytes entries = entry("data", 12);
  for (const Bytes& more : {entry("longer", 13), Bytes(4), entry("hidden", 14)})
    entries.insert(entries.end(), more.begin(), more.end());
  EXPECT_EQ(attribute_names(entries), (std::vector<std::string>{"data=12", "longer=13"}));
}

TEST(ForEachXattr, StopsAtAnEntryThatIsCut) {
  const Bytes whole = entry("name", 12);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    cut.shrink_to_fit();  // so that a sanitizer notices reads past its end
    EXPECT_TRUE(attribute_names(cut).empty()) << length;
  }
}

TEST(XattrsInBlock, FollowTheHeaderWithTheMagic) {
  Bytes block(32);
  set_le(block, 0, 0xea020000, 4);
  const Bytes list = entry("data", 1);
  block.insert(block.end(), list.begin(), list.end());
  EXPECT_EQ(xattrs_in_block(block).size(), list.size());
  set_le(block, 0, 0xea020001, 4);
  EXPECT_TRUE(xattrs_in_block(block).empty());
  EXPECT_TRUE(xattrs_in_block(Bytes(32)).empty());
}

// After the fields, whose size past the first 128 bytes is in the first of them.
TEST(XattrsInInode, FollowItsFields) {
  Bytes inode(256);
  set_le(inode, 128, 32, 2);
  set_le(inode, 160, 0xea020000, 4);
  EXPECT_EQ(xattrs_in_inode(inode).size(), 256 - 164);
  set_le(inode, 128, 34, 2);
  EXPECT_TRUE(xattrs_in_inode(inode).empty());
  set_le(inode, 128, 128, 2);
  EXPECT_TRUE(xattrs_in_inode(inode).empty());
  EXPECT_TRUE(xattrs_in_inode(Bytes(128)).empty());
}

}  // namespace
}  // namespace e2qcow::ext2
