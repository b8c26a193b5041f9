// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <optional>
#include <string>
#include <vector>

#include "ext2/selection/selection.h"

namespace e2qcow::work {

// The use of each range of a disk with an ext file system.
struct DiskClasses {
  std::uint32_t block_size = 0;
  std::vector<ext2::Selection::ClassRun> runs;  // ascending
};

// Absent if there is no ext file system on the disk. With `all` the contents of files are included.
std::optional<DiskClasses> classify_disk(const ImageSource& disk, const std::string& name, bool all,
                                         unsigned threads);

// "block 5, inode tables"; empty if that is not known.
std::string structure_at(const ImageSource& disk, const std::string& name, std::uint64_t guest_offset,
                         unsigned threads);

}  // namespace e2qcow::work
