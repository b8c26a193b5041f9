// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/bytes.h"

namespace e2qcow {

bool is_zero(std::span<const std::byte> bytes) {
  // Most data differs from zero within a few words; the rest goes through memory in wide steps.
  constexpr std::size_t kStep = 8 * sizeof(std::uint64_t);
  while (bytes.size() >= kStep) {
    std::uint64_t words[8];
    std::memcpy(words, bytes.data(), sizeof words);
    std::uint64_t any = 0;
    for (const std::uint64_t word : words) any |= word;
    if (any != 0) return false;
    bytes = bytes.subspan(kStep);
  }
  for (const std::byte byte : bytes)
    if (byte != std::byte{0}) return false;
  return true;
}

}  // namespace e2qcow
