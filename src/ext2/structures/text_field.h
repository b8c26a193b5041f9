// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

namespace e2qcow::ext2 {

// The text in a field of fixed size, which need not be terminated by a zero.
template <std::size_t N>
std::string field_text(const std::uint8_t (&field)[N]) {
  const auto* begin = reinterpret_cast<const char*>(field);
  return {begin, ::strnlen(begin, N)};
}

}  // namespace e2qcow::ext2
