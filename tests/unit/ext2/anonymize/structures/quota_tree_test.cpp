// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/structures/quota_tree.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "ext2/anonymize/structures/quota.h"
#include "tests/support/ext2_image.h"
#include "tests/support/extent_nodes.h"
#include "tests/support/strict_rules.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::uint64_t kQuotaPlace = 100;  // of the quota file, whose blocks are as large as its pieces
constexpr std::uint64_t kTable = 40;        // of inodes
constexpr std::uint32_t kId = 0x203;

// A quota file with one id.
class QuotaTree : public testing::Test {
 protected:
  QuotaTree() {
    image_.superblock.raw.s_usr_quota_inum = EXT4_USR_QUOTA_INO;
    image_.set_descriptor(0, Ext2Image::kInodeTable, kTable);
    Bytes inodes(1024);
    const auto inode = std::span(inodes).subspan(std::size_t{EXT4_USR_QUOTA_INO - 1} * 128, 128);
    set_le(inode, 0, S_IFREG, 2);
    set_le(inode, 32, EXT4_EXTENTS_FL, 4);
    std::ranges::copy(extent_leaf({{kQuotaPlace, 6}}), inode.begin() + 40);
    image_.put_block(kTable, inodes);
    put_node(1, {{0, 2}});
    put_node(2, {{0, 3}});
    put_node(3, {{2, 4}});
    put_node(4, {{3, 5}});
  }
  struct Child {
    std::uint64_t index;
    std::uint64_t piece;
  };
  void put_node(std::uint64_t piece, const std::vector<Child>& children) {
    Bytes node(1024);
    for (const Child& child : children) set_le(node, child.index * 4, child.piece, 4);
    image_.put_block(kQuotaPlace + piece, node);
  }
  Bytes block(std::uint64_t number) const {
    Bytes bytes(1024);
    image_.disk.read(number * 1024, bytes);
    return bytes;
  }
  QuotaTrees trees() {
    return {image_.open(), [this](std::uint64_t number) { return std::vector<Bytes>{block(number)}; }};
  }

  Ext2Image image_{1024, 2000};
};

TEST_F(QuotaTree, HasNodesAboveItsLeaves) {
  const QuotaTrees found = trees();
  for (const auto& [piece, depth, higher] :
       {std::array{1U, 0U, 0U}, {2U, 1U, 0U}, {3U, 2U, 0U}, {4U, 3U, 2U}}) {
    const auto node = found.find(kQuotaPlace + piece, 0);
    ASSERT_TRUE(node) << piece;
    EXPECT_EQ(node->depth, depth) << piece;
    EXPECT_EQ(node->higher, higher) << piece;
  }
  EXPECT_FALSE(found.find(kQuotaPlace + 5, 0));
}

TEST_F(QuotaTree, MayHaveLoopsAndChildrenPastItsEnd) {
  put_node(3, {{1, 1}, {2, 3}, {3, 0xffff'ffff}, {4, 6}});
  const QuotaTrees found = trees();
  EXPECT_TRUE(found.find(kQuotaPlace + 3, 0));
  EXPECT_FALSE(found.find(kQuotaPlace + 4, 0));
}

TEST_F(QuotaTree, LeadsToTheNewIdIfItIsStrict) {
  const StrictRules rules = test_rules(Strictness::strict);
  const std::uint32_t id = rules.owner(kId);
  const QuotaTrees found = trees();
  Tally tally;
  std::uint32_t piece = 1;
  for (const unsigned shift : {24, 16, 8, 0}) {
    Bytes node = block(kQuotaPlace + piece);
    anonymize_quota(rules, found, kQuotaPlace + piece, node, tally);
    piece = load_le<std::uint32_t>(node, std::size_t{id >> shift & 0xff} * 4);
  }
  EXPECT_NE(id, kId);
  EXPECT_EQ(piece, 5);
}

}  // namespace
}  // namespace e2qcow::ext2
