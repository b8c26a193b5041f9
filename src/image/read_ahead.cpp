// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/read_ahead.h"

#include <algorithm>

namespace e2qcow {
namespace {

constexpr std::uint64_t kAheadBytes = 16 << 20;
constexpr std::uint64_t kAheadExtents = 256;
constexpr std::uint64_t kStepBytes = 1 << 20;  // of one hint

}  // namespace

void ReadAhead::passed(Extent read, bool ends_extent) {
  passed_bytes_ += read.length;
  if (ends_extent) ++passed_extents_;
}

void ReadAhead::announce() {
  while (announced_bytes_ < passed_bytes_ + kAheadBytes &&
         announced_extents_ < passed_extents_ + kAheadExtents) {
    const auto extent = source_.next_extent(position_);
    if (!extent) return;
    const Extent step{extent->offset, std::min(kStepBytes, extent->length)};
    source_.prefetch(step);
    position_ = step.end();
    announced_bytes_ += step.length;
    if (step.length == extent->length) ++announced_extents_;
  }
}

}  // namespace e2qcow
