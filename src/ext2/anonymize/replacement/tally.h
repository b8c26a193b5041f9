// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

namespace e2qcow::ext2 {

// What was done to a block, or to many.
struct Tally {
  std::uint64_t replaced = 0;    // names, targets, values, labels
  std::uint64_t not_placed = 0;  // names that are not found where a tree looks for them
  std::uint64_t not_parsed = 0;  // structures that were not understood, and are zeros

  Tally& operator+=(const Tally& other) {
    replaced += other.replaced;
    not_placed += other.not_placed;
    not_parsed += other.not_parsed;
    return *this;
  }
};

}  // namespace e2qcow::ext2
