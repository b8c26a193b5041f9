// SPDX-License-Identifier: GPL-2.0-or-later
// A range of bytes. C++20.
#pragma once

#include <cstdint>

namespace e2qcow {

// A range of bytes: of a disk (guest offsets), of a file, or of what the name says.
struct Extent {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;

  constexpr std::uint64_t end() const { return offset + length; }
  constexpr bool empty() const { return length == 0; }
  friend constexpr bool operator==(const Extent&, const Extent&) = default;
};

}  // namespace e2qcow
