// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "tests/support/bytes.h"

namespace e2qcow {

// Another sequence in every run; says which. E2QCOW_SEED repeats one.
class Random {
 public:
  Random() : Random(chosen_seed()) {}
  explicit Random(std::uint64_t seed) : engine_(seed) {
    std::printf("seed: E2QCOW_SEED=%llu\n", static_cast<unsigned long long>(seed));
  }

  std::uint64_t below(std::uint64_t end) {
    return std::uniform_int_distribution<std::uint64_t>(0, end - 1)(engine_);
  }
  std::uint64_t between(std::uint64_t first, std::uint64_t last) { return first + below(last - first + 1); }

  // Never zero, so that data cannot be taken for a hole.
  Bytes bytes(std::size_t count) {
    Bytes bytes(count);
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < count; ++i, word >>= 8) {
      if (i % sizeof word == 0) word = engine_();
      bytes[i] = static_cast<std::byte>(word) | std::byte{1};
    }
    return bytes;
  }

  // Ascending, without overlaps, not empty, inside `size` bytes.
  std::vector<Extent> extents(std::uint64_t size, std::uint64_t max_gap, std::uint64_t max_length) {
    std::vector<Extent> extents;
    for (std::uint64_t offset = below(max_gap + 1); offset < size; offset += below(max_gap + 1)) {
      extents.push_back({offset, std::min(between(1, max_length), size - offset)});
      offset = extents.back().end();
    }
    return extents;
  }

 private:
  static std::uint64_t chosen_seed() {
    const char* const seed = std::getenv("E2QCOW_SEED");
    return seed != nullptr ? std::strtoull(seed, nullptr, 10) : std::random_device()();
  }

  std::mt19937_64 engine_;
};

// How often to do what is random: E2QCOW_ROUNDS times as often as usual (./dev random-damage).
inline int rounds(int usual) {
  const char* const times = std::getenv("E2QCOW_ROUNDS");
  return times != nullptr ? usual * std::atoi(times) : usual;
}

}  // namespace e2qcow
