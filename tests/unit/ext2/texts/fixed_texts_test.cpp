// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/texts/fixed_texts.h"

#include <gtest/gtest.h>

#include "ext2/structures/quota_piece.h"
#include "tests/support/bytes.h"
#include "tests/support/ext2_image.h"
#include "tests/unit/ext2/texts/collected.h"

namespace e2qcow::ext2 {
namespace {

constexpr std::uint64_t kTextPlace = 4096;

void put_text(Bytes& bytes, std::size_t offset, std::string_view text) {
  std::ranges::copy(text_bytes(text), bytes.begin() + static_cast<std::ptrdiff_t>(offset));
}

CollectedText slack(std::string text, std::uint64_t offset) {
  return {TextKind::slack, std::move(text), 0, 0, kTextPlace + offset};
}

Collected quota_texts(const Bytes& bytes) {
  return collected([&](const TextVisitor& visit) { visit_quota({bytes, kTextPlace, 0}, visit); });
}

TEST(FixedTexts, OfDescriptorsAreBehindTheLast) {
  const Superblock superblock{plain_superblock(1024, 4 * 8192)};
  const Geometry geometry(superblock, std::uint64_t{4} * 8192 * 1024);
  const std::uint64_t block = geometry.descriptors_in(0).first;
  Bytes bytes = filled(1024, 'd');
  std::ranges::fill(std::span(bytes).subspan(geometry.groups() * geometry.descriptor_size()), std::byte{0});
  const auto texts = [&] {
    return collected([&](const TextVisitor& visit) {
      visit_descriptors(geometry, {bytes, kTextPlace, 0}, block, visit);
    });
  };
  EXPECT_EQ(texts(), Collected());
  put_text(bytes, 700, "left");
  EXPECT_EQ(texts(), Collected{slack("left", 700)});
}

TEST(FixedTexts, OfAQuotaFileAreBehindItsHeaderAndItsEntries) {
  Bytes header(kQuotaPiece);
  set_le(header, 0, 0xd9c0'1927, 4);
  put_text(header, 4, "numbers");
  put_text(header, 100, "left");
  EXPECT_EQ(quota_texts(header), Collected{slack("left", 100)});

  Bytes leaf(kQuotaPiece);
  set_le(leaf, 8, 1, 2);
  put_text(leaf, 16 + 72, "used in the second place");
  put_text(leaf, 16 + 72 + 4, "pad!");
  put_text(leaf, 500, "left");
  EXPECT_EQ(quota_texts(leaf), (Collected{slack("pad!", 16 + 72 + 4), slack("left", 500)}));
}

TEST(FixedTexts, OfANodeOfAQuotaTreeAreNone) {
  Bytes node(kQuotaPiece);
  set_le(node, 40, 7, 4);
  EXPECT_EQ(quota_texts(node), Collected());
  put_text(node, 80, "text");
  set_le(node, 8, 0xffff, 2);  // nor is it a leaf
  set_le(node, 40, 0, 4);
  EXPECT_EQ(quota_texts(node).size(), 1U);
}

TEST(FixedTexts, OfTheOrphanFileAreNoNumbersOfInodes) {
  Bytes block(1024);
  set_le(block, 1016, 0x0b10'ca04, 4);
  put_text(block, 1020, "csum");
  set_le(block, 0, 99, 4);
  put_text(block, 8, "somebody");
  set_le(block, 40, 0xffff'ffff, 4);
  const auto texts = [&] {
    return collected([&](const TextVisitor& visit) { visit_orphans({block, kTextPlace, 0}, 100, visit); });
  };
  EXPECT_EQ(texts(), Collected{slack("somebody", 8)});
  put_text(block, 1012, "last");
  EXPECT_EQ(texts(), (Collected{slack("somebody", 8), slack("last", 1012)}));
  set_le(block, 1016, 0, 4);
  EXPECT_EQ(texts().size(), 1U) << "the whole block";
}

TEST(FixedTexts, OfPointersAreThoseOutside) {
  Bytes block(1024);
  set_le(block, 0, 8191, 4);
  set_le(block, 4, 0xffff'fff0, 4);
  put_text(block, 16, "somebody");
  EXPECT_EQ(collected([&](const TextVisitor& visit) {
              visit_pointers({block, kTextPlace, 0}, 8192, visit);
            }),
            Collected{slack("somebody", 16)});
}

}  // namespace
}  // namespace e2qcow::ext2
