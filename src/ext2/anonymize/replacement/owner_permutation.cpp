// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/replacement/owner_permutation.h"

#include <array>

#include "base/bytes.h"
#include "base/hashing.h"

namespace e2qcow::ext2 {
namespace {

// A Feistel network with random functions: of a byte, half of which each round replaces.
class BytePermutation {
 public:
  explicit BytePermutation(std::uint64_t state) {
    for (std::uint64_t& function : rounds_) function = next_number(state);
  }

  std::uint8_t operator()(std::uint8_t byte) const {
    unsigned left = byte >> 4;
    unsigned right = byte & 15U;
    for (const std::uint64_t function : rounds_) {
      const unsigned next = left ^ static_cast<unsigned>(function >> 4 * right & 15U);
      left = right;
      right = next;
    }
    return static_cast<std::uint8_t>(left << 4 | right);
  }

 private:
  std::array<std::uint64_t, 6> rounds_;  // each: 16 results of 4 bits
};

}  // namespace

std::uint32_t OwnerPermutation::operator()(std::uint32_t id) const {
  std::uint32_t result = 0;
  std::uint32_t higher = 0;
  for (unsigned count = 0; count < kDigits; ++count) {
    const auto old = static_cast<std::uint8_t>(id >> 8 * (kDigits - 1 - count));
    result = result << 8 | digit(count, higher, old);
    higher = higher << 8 | old;
  }
  return result;
}

// A result that belongs to a byte that stays is permuted again, until it does not: still a permutation.
std::uint8_t OwnerPermutation::digit(unsigned count, std::uint32_t higher, std::uint8_t old) const {
  const auto all_ones = static_cast<std::uint32_t>((std::uint64_t{1} << 8 * count) - 1);
  const auto stays = [&](std::uint8_t byte) {
    return (byte == 0 && higher == 0) || (byte == 0xff && higher == all_ones);
  };
  if (stays(old)) return old;
  const std::array<std::uint32_t, 2> place{little_endian(count), little_endian(higher)};
  const BytePermutation permutation(secret_.hash(std::as_bytes(std::span(place))).first);
  std::uint8_t byte = permutation(old);
  while (stays(byte)) byte = permutation(byte);
  return byte;
}

}  // namespace e2qcow::ext2
