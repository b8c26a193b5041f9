// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

// Numbers that look random and need not be secret. Unsigned numbers wrap around here on purpose.
namespace e2qcow {

// Each bit of the result depends on each bit of `z`, and no two values give the same. Source: Steele, Lea,
// Flood, "Fast splittable pseudorandom number generators", 2014
constexpr std::uint64_t mixed(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

constexpr std::uint64_t kGoldenRatio = 0x9e3779b97f4a7c15U;

// The next of a sequence of numbers that begins with `state`. Source: the same (splitmix64)
constexpr std::uint64_t next_number(std::uint64_t& state) {
  state += kGoldenRatio;
  return mixed(state);
}

// A hash of what has the hash `a` followed by what has the hash `b`.
constexpr std::uint64_t combined_hash(std::uint64_t a, std::uint64_t b) {
  return mixed((a + kGoldenRatio) ^ mixed(b + 1));
}

}  // namespace e2qcow
