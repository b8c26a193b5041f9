// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include "ext2/structures/superblock.h"

namespace e2qcow::ext2 {

// The size in bytes of the journal that mke2fs would make for the file system if nobody names a size.
std::uint64_t usual_journal_size(const Superblock& filesystem);

// Makes the file an empty journal for a file system that has its journal on another device: with the UUID
// that the file system looks for, and the file system as its only user. Whatever else the file holds stays,
// and is not looked at by anybody. Throws Errc::too_small if the kernel would not take it. Source of the
// format: lib/ext2fs/mkjournal.c, misc/mke2fs.c
void write_new_journal(const Superblock& filesystem, File& file);

}  // namespace e2qcow::ext2
