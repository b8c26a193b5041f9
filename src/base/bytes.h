// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace e2qcow {

// The unit in which Linux and partition tables count, whatever a disk's own sectors are.
constexpr std::uint64_t kSector = 512;

// std::byteswap of C++23, for unsigned integers.
template <typename T>
constexpr T byteswap(T value) {
  if constexpr (sizeof(T) == 1) return value;
  if constexpr (sizeof(T) == 2) return __builtin_bswap16(value);
  if constexpr (sizeof(T) == 4) return __builtin_bswap32(value);
  if constexpr (sizeof(T) == 8) return __builtin_bswap64(value);
}

// A value as it is stored on disk, in big or little endian, and back: both directions are the same.
template <typename T>
constexpr T big_endian(T value) {
  return std::endian::native == std::endian::big ? value : byteswap(value);
}
template <typename T>
constexpr T little_endian(T value) {
  return std::endian::native == std::endian::little ? value : byteswap(value);
}

// The bytes at `offset` must exist.
template <typename T>
T load(std::span<const std::byte> bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}
template <typename T>
T load_be(std::span<const std::byte> bytes, std::size_t offset) {
  return big_endian(load<T>(bytes, offset));
}
template <typename T>
T load_le(std::span<const std::byte> bytes, std::size_t offset) {
  return little_endian(load<T>(bytes, offset));
}
template <typename T>
void store_be(std::span<std::byte> bytes, std::size_t offset, T value) {
  value = big_endian(value);
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}
template <typename T>
void store_le(std::span<std::byte> bytes, std::size_t offset, T value) {
  value = little_endian(value);
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

// Right for every value: those near 2^64 come from damaged disks.
constexpr std::uint64_t divide_up(std::uint64_t value, std::uint64_t unit) {
  return value / unit + (value % unit != 0 ? 1 : 0);
}
// The result must fit into 64 bits.
constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t unit) {
  return divide_up(value, unit) * unit;
}
constexpr std::uint64_t round_down(std::uint64_t value, std::uint64_t unit) {
  return value / unit * unit;
}

bool is_zero(std::span<const std::byte> bytes);
inline void clear(std::span<std::byte> bytes) {
  if (!bytes.empty()) std::memset(bytes.data(), 0, bytes.size());
}

}  // namespace e2qcow
