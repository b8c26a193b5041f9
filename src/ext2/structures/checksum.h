// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <ext2fs/ext2fs.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace e2qcow::ext2 {

// As all structures of ext4 and its journal use it: begins with ~0, is not inverted at the end.
inline std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> bytes) {
  return ext2fs_crc32c_le(crc, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

// As the first checksums of journals use it: begins with ~0, the bit that counts most first.
inline std::uint32_t crc32_be(std::uint32_t crc, std::span<const std::byte> bytes) {
  return ext2fs_crc32_be(crc, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

}  // namespace e2qcow::ext2
