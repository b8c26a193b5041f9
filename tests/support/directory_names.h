// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "ext2/structures/directory.h"
#include "tests/support/bytes.h"

namespace e2qcow::ext2 {

// The names in a block of a directory, as far as it is valid.
inline std::vector<std::string> names_in_block(std::span<const std::byte> block) {
  std::vector<std::string> names;
  for_each_entry(block, [&](const DirectoryEntry& entry) { names.emplace_back(entry.name); });
  return names;
}

}  // namespace e2qcow::ext2
