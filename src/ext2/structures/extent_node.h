// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext3_extents.h>

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "ext2/structures/geometry.h"

namespace e2qcow::ext2 {

// The header of a node of an extent tree. Source of the fields: <ext2fs/ext3_extents.h>
struct ExtentHeader {
  static constexpr std::size_t kEntrySize = 12;  // of a header, an extent, an extent index
  // ext4 makes at most 5 levels; libext2fs follows any number. No valid tree is this deep.
  static constexpr std::uint16_t kMaxDepth = 31;

  std::uint16_t magic;
  std::uint16_t entries;
  std::uint16_t max_entries;
  std::uint16_t depth;

  explicit ExtentHeader(std::span<const std::byte> bytes)
      : magic(load_le<std::uint16_t>(bytes, 0)),
        entries(load_le<std::uint16_t>(bytes, 2)),
        max_entries(load_le<std::uint16_t>(bytes, 4)),
        depth(load_le<std::uint16_t>(bytes, 6)) {}

  // The checks of libext2fs. It takes the depth from the root only, and counts down from there.
  bool makes_sense(std::size_t node_bytes) const {
    return magic == EXT3_EXT_MAGIC && entries <= node_bytes / kEntrySize - 1;
  }
  // For inodes without the extents flag: a block number may look like the magic, but hardly like a whole
  // root.
  bool is_surely_a_root(std::size_t map_bytes) const {
    return makes_sense(map_bytes) && max_entries == map_bytes / kEntrySize - 1;
  }
  bool makes_sense_as_root(std::size_t node_bytes) const {
    return makes_sense(node_bytes) && depth <= kMaxDepth;
  }
};

// The blocks of an extent, given its 12 bytes.
inline BlockRun extent_run(std::span<const std::byte> entry) {
  constexpr std::uint16_t kMaxInitialised = 32768;  // a longer one is unwritten; ext4 wiki, "Extent Tree"
  const auto length = load_le<std::uint16_t>(entry, 4);
  const std::uint64_t block =
      load_le<std::uint32_t>(entry, 8) | static_cast<std::uint64_t>(load_le<std::uint16_t>(entry, 6)) << 32;
  return {block, static_cast<std::uint64_t>(length <= kMaxInitialised ? length : length - kMaxInitialised)};
}

// The block of the node that an extent index points to, given its 12 bytes.
inline std::uint64_t extent_child(std::span<const std::byte> entry) {
  return load_le<std::uint32_t>(entry, 4) | static_cast<std::uint64_t>(load_le<std::uint16_t>(entry, 8))
                                                << 32;
}

}  // namespace e2qcow::ext2
