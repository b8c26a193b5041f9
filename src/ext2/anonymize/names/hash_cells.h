// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <ext2fs/ext2fs.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "ext2/structures/superblock.h"

namespace e2qcow::ext2 {

// The hash of names by which the tree of a directory is sorted.
struct NameHash {
  std::uint8_t version = 0;  // with that of the superblock's flags: EXT2_HASH_...
  std::array<std::uint32_t, 4> seed{};
  const ext2fs_nls_table* encoding = nullptr;  // of a directory that ignores case; else null

  // Without its last bit, which is none of the hash. Absent if the version is not known.
  std::optional<std::uint32_t> of(std::string_view name) const;
};

// The version that a root of a tree has, as it is used: signed or unsigned.
std::uint8_t used_hash_version(std::uint8_t in_root, const Superblock& superblock);

// The cells of a directory's tree: the intervals between neighbouring hashes in its index. What has a name in
// the same cell is found in the same leaf.
class HashCells {
 public:
  HashCells() = default;
  // `boundaries` in any order: the hashes in all blocks of the index, of all versions of it.
  explicit HashCells(std::vector<std::uint32_t> boundaries);

  bool are_needed() const { return begins_.size() > 1; }
  std::size_t count() const { return begins_.size(); }
  std::uint32_t cell_of(std::uint32_t hash) const;
  bool is_boundary(std::uint32_t hash) const { return begins_[cell_of(hash)] == hash; }
  bool is_in(std::uint32_t cell, std::uint32_t hash) const {
    return hash >= begins_[cell] && (cell + 1 == begins_.size() || hash < begins_[cell + 1]);
  }
  // How many names have to be drawn until one is in the cell, on the average.
  double draws_for(std::uint32_t cell) const;

 private:
  std::vector<std::uint32_t> begins_{0};  // ascending; the first is 0
};

}  // namespace e2qcow::ext2
