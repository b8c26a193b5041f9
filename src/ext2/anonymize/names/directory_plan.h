// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "ext2/anonymize/names/directory_rules.h"
#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// Where the names of one directory are, in all versions of it.
struct DirectoryParts {
  std::uint32_t inode = 0;
  std::uint32_t flags = 0;
  std::vector<BlockRun> blocks;  // on the device: its own, and copies of them in the journal
  std::vector<std::vector<std::byte>> inline_entries;
  std::vector<std::string> other_names;  // in fast commits
};

// What new names in a directory depend on, without the names: the cells of its tree.
DirectoryRules plan_cells(const Filesystem& filesystem, const DirectoryParts& parts);

// The rest. Memory grows with the directory if that has more than DirectoryRules::kDrawnCells cells, or short
// names.
DirectoryRules plan_names(const Filesystem& filesystem, const Naming& naming, const DirectoryParts& parts,
                          DirectoryRules cells);

}  // namespace e2qcow::ext2
