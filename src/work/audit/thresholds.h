// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstddef>

#include "work/audit/private_texts.h"

namespace e2qcow::work {

// Which strings are searched for everywhere: those with so many bits that, of all of them together, random
// text of this size has fewer than `accepted` by chance.
struct Threshold {
  unsigned bits;       // at least
  std::size_t length;  // of the shortest; 0: there is none
};
Threshold threshold(const std::array<PrivateTexts::Bits, 256>& by_bits, std::uint64_t searched_bytes,
                    double accepted);

}  // namespace e2qcow::work
