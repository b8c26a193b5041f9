// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ext2/texts/text.h"

namespace e2qcow::ext2 {

// Whether the block is one of fast commits, of any age.
bool looks_like_fast_commits(std::span<const std::byte> block);

// Visits the names in a block of fast commits, with their directories as owners, and the texts in the inodes.
// What follows the last tag is unused. Source of the format: the kernel's fs/ext4/fast_commit.h
void visit_fast_commits(const TextPlace& block, const TextVisitor& visit);

}  // namespace e2qcow::ext2
