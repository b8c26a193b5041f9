// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <vector>

#include "ext2/structures/filesystem.h"
#include "ext2/texts/text.h"

namespace e2qcow::work {

// Visits each block in `data`, extents of the file system's disk, that is not zero and that a dump of its
// metadata does not have: contents of files, or of blocks that nothing uses.
void visit_other_contents(const ext2::Filesystem& filesystem, const ReadableFile& disk,
                          const std::vector<Extent>& data, unsigned threads, const ext2::TextVisitor& visit);

}  // namespace e2qcow::work
