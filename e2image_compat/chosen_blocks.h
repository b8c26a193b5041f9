// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "e2image_compat/e2image_selection.h"
#include "ext2/selection/findings.h"
#include "ext2/selection/selection.h"
#include "ext2/structures/filesystem.h"

namespace e2qcow::compat {

struct ChosenBlocks {
  std::vector<ext2::Selection::ClassRun> runs;  // ascending, without overlaps
  // The number of blocks as e2image counts: a block with several references counts several times. Its tables
  // are sized by that.
  std::uint64_t marks = 0;
  std::uint64_t announced = 0;  // the total in the progress: the same plus the blocks that e2image leaves out

  std::uint64_t blocks() const;
  bool contains(std::uint64_t block) const;
  // The runs as bytes of the file system, touching ones joined.
  std::vector<Extent> extents(std::uint32_t block_size) const;
};

// The blocks of the image. For a healthy file system they are e2image's, and with DumpKind::all also the boot
// block and the backups of superblock and descriptors. For any other they are those of `e2qcow dump`, and
// `findings` has the problems.
ChosenBlocks choose_blocks(const ext2::Filesystem& filesystem, const WalkOptions& options, unsigned threads,
                           ext2::Findings& findings);

}  // namespace e2qcow::compat
