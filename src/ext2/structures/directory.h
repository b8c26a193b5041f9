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
  std::uint8_t type;    // EXT2_FT_..., if the file system has the feature filetype
  std::string_view name;
};

// The fixed part of an entry, unchecked.
struct EntryHead {
  static constexpr std::size_t kBytes = 8;

  // `block_size` is that of the directory's block.
  EntryHead(std::span<const std::byte> entry, std::size_t block_size);
  bool has_valid_length(std::size_t room) const {
    return length >= kBytes && length % 4 == 0 && length <= room;
  }

  std::uint32_t inode;
  std::size_t length;  // to the next entry
  std::uint8_t name_length;
  std::uint8_t type;
};

// Calls `visit` for each entry in a block of a directory, up to the first invalid one. Blocks of hash trees
// have none.
void for_each_entry(std::span<const std::byte> block,
                    const std::function<void(const DirectoryEntry&)>& visit);

}  // namespace e2qcow::ext2
