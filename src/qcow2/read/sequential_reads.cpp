// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/sequential_reads.h"

#include <algorithm>

namespace e2qcow::qcow2 {

SequentialReads::Units SequentialReads::after_read(std::uint64_t unit) {
  const std::scoped_lock lock(mutex_);
  if (unit == last_unit_) return {};
  steps_ = unit == last_unit_ + 1 ? steps_ + 1 : 0;
  last_unit_ = unit;
  if (steps_ < 2) return {};
  const std::uint64_t window = std::min(steps_, max_window_);
  const bool is_inside_window = asked_end_ > unit && asked_end_ <= unit + window;
  if (is_inside_window && asked_end_ - unit > window / 2) return {};
  const std::uint64_t first = is_inside_window ? asked_end_ : unit + 1;
  asked_end_ = unit + window;
  return {first, asked_end_ - first};
}

}  // namespace e2qcow::qcow2
