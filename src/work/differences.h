// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ext2/names/affected_files.h"
#include "image/block_class.h"

namespace e2qcow::work {

// All that differs between two disks with ext file systems, and what it belongs to.
struct Differences {
  struct Part {
    Extent range;                             // guest bytes
    std::optional<BlockClass> block_class{};  // absent: free in both, or not known
  };
  std::vector<Part> parts;  // ascending
  std::map<BlockClass, std::uint64_t> bytes_by_class;
  std::uint64_t bytes = 0;
  bool is_coarse = false;  // there were so many that parts between them, which are the same, are among them
  // Files with something of their own in it, by inode: by what the second disk knows, or else the first.
  // AffectedFile::lost is what differs, and `inode_is_lost` that the inode itself does.
  std::vector<ext2::AffectedFile> files;
};

struct NamedSource {
  const std::string& name;
  const ImageSource& disk;
};
// `ranges` differ, ascending, not touching.
Differences explain_differences(const NamedSource& a, const NamedSource& b, const std::vector<Extent>& ranges,
                                unsigned threads);

}  // namespace e2qcow::work
