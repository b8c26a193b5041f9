// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

namespace e2qcow::ext2 {

// An entry of a directory. Source of the fields: <ext2fs/ext2_fs.h>, struct ext2_dir_entry_2
struct DirectoryEntry {
  std::uint32_t inode;  // not 0
  std::uint8_t type;    // EXT2_FT_..., where the file system has the feature filetype
  std::string_view name;
};

// Tells `visit` the entries in a block of a directory, up to the first that makes no sense. Blocks of hash
// trees have none.
void for_each_entry(std::span<const std::byte> block,
                    const std::function<void(const DirectoryEntry&)>& visit);

}  // namespace e2qcow::ext2
