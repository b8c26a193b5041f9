// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/texts/superblock_texts.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/ext2_image.h"
#include "tests/unit/ext2/texts/collected.h"

namespace e2qcow::ext2 {
namespace {

Collected superblock_texts(const Bytes& bytes) {
  return collected([&](const TextVisitor& visit) { visit_superblock({bytes, 1024, 0}, visit); });
}

void put_field(Bytes& bytes, std::size_t offset, std::string_view text) {
  std::ranges::copy(text_bytes(text), bytes.begin() + static_cast<std::ptrdiff_t>(offset));
}

TEST(SuperblockTexts, AreItsFieldsOfText) {
  Bytes bytes = superblock_bytes(plain_superblock(1024, 8192));
  EXPECT_EQ(superblock_texts(bytes), Collected());
  put_field(bytes, 0x78, "private");
  put_field(bytes, 0x88, "/home/me");
  put_field(bytes, 0x200, "journal_path=/dev/x");
  put_field(bytes, 0x1a8, "ext4_lookup");
  put_field(bytes, 0x1e0, "ext4_iget");
  EXPECT_EQ(superblock_texts(bytes),
            (Collected{{TextKind::label, "private", 0, 0, 1024 + 0x78},
                       {TextKind::last_mount, "/home/me", 0, 0, 1024 + 0x88},
                       {TextKind::mount_options, "journal_path=/dev/x", 0, 0, 1024 + 0x200},
                       {TextKind::error_function, "ext4_lookup", 0, 0, 1024 + 0x1a8},
                       {TextKind::error_function, "ext4_iget", 0, 0, 1024 + 0x1e0}}));
}

TEST(SuperblockTexts, AreSeedAndSaltAndWhatIsReserved) {
  Bytes bytes = superblock_bytes(plain_superblock(1024, 8192));
  put_field(bytes, 0xec, "seed-of-16-bytes");
  put_field(bytes, 0x258, "salt-of-16-bytes");
  put_field(bytes, 0x300, "remains");
  bytes.resize(2048);
  put_field(bytes, 1500, "tail");
  EXPECT_EQ(superblock_texts(bytes),
            (Collected{{TextKind::hash_seed, "seed-of-16-bytes", 0, 0, 1024 + 0xec},
                       {TextKind::encryption, "salt-of-16-bytes", 0, 0, 1024 + 0x258},
                       {TextKind::slack, "remains", 0, 0, 1024 + 0x300},
                       {TextKind::slack, "tail", 0, 0, 1024 + 1500}}));
}

TEST(SuperblockTexts, ItIsKnownByItsMagic) {
  Bytes bytes = superblock_bytes(plain_superblock(1024, 8192));
  EXPECT_TRUE(looks_like_superblock(bytes));
  EXPECT_FALSE(looks_like_superblock(std::span(bytes).first(1000)));
  EXPECT_FALSE(looks_like_superblock(Bytes(1024)));
}

TEST(SuperblockTexts, OfTheMmpBlockAreTheNodeAndTheDevice) {
  Bytes block(4096);
  put_field(block, 16, "server");
  put_field(block, 80, "sdb1");
  put_field(block, 2000, "remains");
  const auto texts = collected([&](const TextVisitor& visit) { visit_mmp({block, 8192, 0}, visit); });
  EXPECT_EQ(texts, (Collected{{TextKind::mmp_name, "server", 0, 0, 8208},
                              {TextKind::mmp_name, "sdb1", 0, 0, 8272},
                              {TextKind::slack, "remains", 0, 0, 10192}}));
}

}  // namespace
}  // namespace e2qcow::ext2
