// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/names/hash_cells.h"

#include <algorithm>
#include <limits>

namespace e2qcow::ext2 {

std::optional<std::uint32_t> NameHash::of(std::string_view name) const {
  ext2_dirhash_t hash = 0;
  const int flags = encoding == nullptr ? 0 : EXT4_CASEFOLD_FL;
  const errcode_t error = ::ext2fs_dirhash2(version, name.data(), static_cast<int>(name.size()), encoding,
                                            flags, seed.data(), &hash, nullptr);
  return error == 0 ? std::optional<std::uint32_t>(hash & ~1U) : std::nullopt;
}

// Source: e2fsck/pass2.c, check_dir_block()
std::uint8_t used_hash_version(std::uint8_t in_root, const Superblock& superblock) {
  const bool is_unsigned = (superblock.raw.s_flags & EXT2_FLAGS_UNSIGNED_HASH) != 0;
  return in_root <= EXT2_HASH_TEA && is_unsigned ? static_cast<std::uint8_t>(in_root + 3) : in_root;
}

HashCells::HashCells(std::vector<std::uint32_t> boundaries) : begins_(std::move(boundaries)) {
  for (std::uint32_t& begin : begins_) begin &= ~1U;
  begins_.push_back(0);
  std::ranges::sort(begins_);
  begins_.erase(std::unique(begins_.begin(), begins_.end()), begins_.end());
}

std::uint32_t HashCells::cell_of(std::uint32_t hash) const {
  return static_cast<std::uint32_t>(std::ranges::upper_bound(begins_, hash) - begins_.begin() - 1);
}

double HashCells::draws_for(std::uint32_t cell) const {
  constexpr double kHashes = std::numeric_limits<std::uint32_t>::max();
  const double end = cell + 1 < begins_.size() ? begins_[cell + 1] : kHashes;
  return kHashes / (end - begins_[cell]);
}

}  // namespace e2qcow::ext2
