// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ext2/texts/directory_texts.h"
#include "ext2/texts/text.h"

namespace e2qcow::ext2 {

// How the attribute with the rest of inline data is read: it belongs to a directory, a link or a file.
enum class InlineContents { file, link, encrypted_link, directory };

// Visits names and values in a list of extended attributes, and what is not zero between them. ACLs have no
// texts: only numbers. `area` begins at the first entry and ends with the last value; offsets of values count
// from `values_begin` bytes before it. Source of the format: the kernel's fs/ext4/xattr.h
void visit_xattrs(const TextPlace& area, std::size_t values_begin, InlineContents contents,
                  const TextVisitor& visit);

// A block of extended attributes. Without its magic, everything in it is unused.
void visit_xattr_block(const TextPlace& block, const TextVisitor& visit);
bool looks_like_xattr_block(std::span<const std::byte> block);

}  // namespace e2qcow::ext2
