// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ext2/structures/checksum.h"

namespace e2qcow::ext2 {

// The checksums of two texts of one length differ by a checksum of their difference, whatever came before
// them: a CRC is linear. So a checksum that was right becomes right again, one that was wrong stays wrong,
// and nothing need be known of seeds, inodes and generations. If the seed changes as well, `so_far` is the
// difference that this makes.
inline std::uint32_t crc_difference(std::span<const std::byte> before, std::span<const std::byte> after,
                                    std::uint32_t so_far = 0) {
  std::vector<std::byte> difference(before.size());
  for (std::size_t i = 0; i < before.size(); ++i) difference[i] = before[i] ^ after[i];
  return crc32c(so_far, difference);
}

// By which bits the seed of checksums changes. 0: not at all.
class SeedDifference {
 public:
  explicit SeedDifference(std::uint32_t bits = 0) : bits_(bits) {}

  // What is left of it after so many bytes that did not change: the numbers of inodes, generations, blocks,
  // with which most checksums begin.
  std::uint32_t after(std::size_t bytes) const {
    return bits_ == 0 ? 0 : crc32c(bits_, std::vector<std::byte>(bytes));
  }
  static constexpr std::size_t kInodeNumbers = 8;  // the inode and its generation
  static constexpr std::size_t kBlockNumber = 8;
  static constexpr std::size_t kGroupNumber = 4;

 private:
  std::uint32_t bits_;
};

// What the checksums in blocks depend on besides their bytes.
struct Checksums {
  bool exist = false;
  SeedDifference seed{};
};

// Corrects the checksum at `place` in `after`, of the bytes before that place.
inline void patch_checksum(std::span<const std::byte> before, std::span<std::byte> after, std::size_t place,
                           std::uint32_t so_far = 0) {
  const std::uint32_t difference = crc_difference(before.first(place), after.first(place), so_far);
  store_le(after, place, load_le<std::uint32_t>(before, place) ^ difference);
}

}  // namespace e2qcow::ext2
