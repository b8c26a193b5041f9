// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ext2/structures/checksum.h"

namespace e2qcow::ext2 {

// The checksums of two texts of one length differ by a checksum of their difference, whatever came before
// them: a CRC is linear. So a checksum that was right becomes right again, one that was wrong stays wrong,
// and nothing need be known of seeds, inodes and generations.
inline std::uint32_t crc_difference(std::span<const std::byte> before, std::span<const std::byte> after,
                                    std::uint32_t so_far = 0) {
  std::vector<std::byte> difference(before.size());
  for (std::size_t i = 0; i < before.size(); ++i) difference[i] = before[i] ^ after[i];
  return crc32c(so_far, difference);
}

// Corrects the checksum at `place` in `after`, of the bytes before that place.
inline void patch_checksum(std::span<const std::byte> before, std::span<std::byte> after, std::size_t place) {
  const std::uint32_t difference = crc_difference(before.first(place), after.first(place));
  store_le(after, place, load_le<std::uint32_t>(before, place) ^ difference);
}

}  // namespace e2qcow::ext2
