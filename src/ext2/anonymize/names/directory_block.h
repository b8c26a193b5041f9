// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <span>

#include "ext2/anonymize/names/directory_rules.h"
#include "ext2/anonymize/replacement/patch_checksum.h"
#include "ext2/anonymize/replacement/tally.h"

namespace e2qcow::ext2 {

// Replaces the names in a block of a directory, and clears everything between and behind them. From the first
// entry on that is none, the block becomes zeros.
void anonymize_directory_block(const DirectoryNamer& namer, const Checksums& checksums,
                               std::span<std::byte> block, Tally& tally);

// The same for entries in an inode, which have no checksum.
void anonymize_entries(const DirectoryNamer& namer, std::span<std::byte> entries, Tally& tally);

}  // namespace e2qcow::ext2
