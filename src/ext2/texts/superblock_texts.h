// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ext2/texts/text.h"

namespace e2qcow::ext2 {

// Visits the texts in a copy of the superblock, whose 1024 bytes `place` begins with, and what follows it in
// its block. Source of the fields: <ext2fs/ext2_fs.h>, struct ext2_super_block
void visit_superblock(const TextPlace& place, const TextVisitor& visit);
bool looks_like_superblock(std::span<const std::byte> bytes);

// Visits the texts in the block of multiple mount protection.
void visit_mmp(const TextPlace& block, const TextVisitor& visit);

}  // namespace e2qcow::ext2
