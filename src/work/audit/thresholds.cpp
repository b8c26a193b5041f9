// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/audit/thresholds.h"

#include <algorithm>
#include <cmath>

namespace e2qcow::work {

Threshold threshold(const std::array<PrivateTexts::Bits, 256>& by_bits, std::uint64_t searched_bytes,
                    double accepted) {
  Threshold result{static_cast<unsigned>(by_bits.size()), 0};
  double expected = 0;
  for (unsigned bits = result.bits; bits > 0;) {
    --bits;
    const PrivateTexts::Bits& strings = by_bits[bits];
    expected += static_cast<double>(strings.count) * static_cast<double>(searched_bytes) *
                std::exp2(-static_cast<double>(bits));
    if (expected > accepted) break;
    result.bits = bits;
    if (strings.count > 0)
      result.length = result.length == 0 ? strings.min_length : std::min(result.length, strings.min_length);
  }
  return result;
}

}  // namespace e2qcow::work
