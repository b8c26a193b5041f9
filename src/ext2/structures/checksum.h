// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <ext2fs/ext2fs.h>
#include <isa-l/crc.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "ext2/structures/superblock.h"

// libext2fs exports this, and declares it in a header that it does not install.
extern "C" std::uint16_t ext2fs_crc16(std::uint16_t crc, const void* bytes, unsigned length);

namespace e2qcow::ext2 {

// As all structures of ext4 and its journal use it: starts from ~0, and is not inverted at the end.
// At most 2 GiB.
inline std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> bytes) {
  // ISA-L reads only, and has the instructions of the processor, which libext2fs has not.
  auto* data = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(bytes.data()));
  return ::crc32_iscsi(data, static_cast<int>(bytes.size()), crc);
}

// As journals used it before crc32c: starts from ~0, most significant bit first.
inline std::uint32_t crc32_be(std::uint32_t crc, std::span<const std::byte> bytes) {
  return ext2fs_crc32_be(crc, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

// As group descriptors used it before crc32c: starts from ~0.
inline std::uint16_t crc16(std::uint16_t crc, std::span<const std::byte> bytes) {
  return ext2fs_crc16(crc, bytes.data(), static_cast<unsigned>(bytes.size()));
}

// Of a number as it is stored, little endian.
template <typename T>
std::uint32_t crc32c_of(std::uint32_t crc, T value) {
  value = little_endian(value);
  return crc32c(crc, std::as_bytes(std::span(&value, 1)));
}

// The seed of all metadata checksums.
inline std::uint32_t checksum_seed(const Superblock& superblock) {
  if (superblock.has_incompat(EXT4_FEATURE_INCOMPAT_CSUM_SEED)) return superblock.raw.s_checksum_seed;
  return crc32c(~0U, std::as_bytes(std::span(superblock.raw.s_uuid)));
}

}  // namespace e2qcow::ext2
