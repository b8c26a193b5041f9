// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "ext2/structures/filesystem.h"
#include "ext2/texts/text.h"

namespace e2qcow::ext2 {

// Visits every text in what a dump of the metadata holds: in all copies of the superblock, inodes,
// directories, links and attributes, and in all their versions that are in the journal, however old. The
// order is that of the disk, and a text may come more than once.
void visit_texts(const Filesystem& filesystem, unsigned threads, const TextVisitor& visit);

}  // namespace e2qcow::ext2
