// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

namespace e2qcow {

using Bytes = std::vector<std::byte>;

inline Bytes bytes_of(std::initializer_list<int> values) {
  Bytes bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

inline Bytes filled(std::size_t count, int value) {
  return Bytes(count, static_cast<std::byte>(value));
}

inline Bytes text_bytes(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

inline Bytes part_of(std::span<const std::byte> bytes, std::uint64_t offset, std::uint64_t count) {
  const auto part = bytes.subspan(offset, count);
  return {part.begin(), part.end()};
}

// Appends numbers of any width, the byte that counts most first.
inline void put_be(Bytes& bytes, std::uint64_t value, int width) {
  for (int i = width - 1; i >= 0; --i) bytes.push_back(static_cast<std::byte>(value >> (8 * i)));
}

// Overwrites a number.
inline void set_be(std::span<std::byte> bytes, std::uint64_t offset, std::uint64_t value, int width) {
  for (int i = 0; i < width; ++i)
    bytes[offset + static_cast<std::uint64_t>(i)] = static_cast<std::byte>(value >> (8 * (width - 1 - i)));
}
inline void set_le(std::span<std::byte> bytes, std::uint64_t offset, std::uint64_t value, int width) {
  for (int i = 0; i < width; ++i)
    bytes[offset + static_cast<std::uint64_t>(i)] = static_cast<std::byte>(value >> (8 * i));
}

}  // namespace e2qcow
