// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ext2/structures/filesystem.h"
#include "ext2/texts/text.h"

namespace e2qcow::ext2 {

// Visits the texts in an inode: the target of a short link, inline data, extended attributes, and what is
// not zero in unused parts. `inode` has all its bytes; its owner is its number.
void visit_inode_texts(const TextPlace& inode, const TextVisitor& visit);

// The same for all inodes in a block of a table, the first of which is `first_inode`.
void visit_inode_block(const Filesystem& filesystem, const TextPlace& block, std::uint64_t first_inode,
                       const TextVisitor& visit);

// Whether most of what is in the block looks like inodes.
bool looks_like_inode_block(std::span<const std::byte> block, std::size_t inode_size);

}  // namespace e2qcow::ext2
