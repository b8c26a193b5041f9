// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ext2/texts/text.h"

namespace e2qcow::ext2 {

enum class EntryHashes { none, after_names };  // of directories that are encrypted and casefolded

// Visits the names in a block of a directory, or in the entries of an inline one: those of entries, of unused
// entries, of entries that were deleted as far as they can be made out, and everything else that is not zero
// and that no entry, checksum or index uses.
// Source of the format: <ext2fs/ext2_fs.h>, struct ext2_dir_entry_2, struct ext2_dx_root_info
void visit_directory(const TextPlace& block, EntryHashes hashes, const TextVisitor& visit);

// Whether it looks like a block of a directory: entries, or the index of a hash tree, fill it exactly.
bool looks_like_directory(std::span<const std::byte> block);

}  // namespace e2qcow::ext2
