// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <algorithm>
#include <span>
#include <vector>

#include "base/extents.h"

namespace e2qcow {

// Finds the parts of ranges that are not holes in a file; cheap when the ranges ascend.
class DataCursor {
 public:
  explicit DataCursor(const ReadableFile& file) : file_(file), size_(file.size()) {}

  // Calls `visit(Extent)` for each part of `range` that may hold data, in order.
  template <typename Visit>
  void for_each_in(Extent range, Visit visit) {
    std::uint64_t position = range.offset;
    const std::uint64_t end = std::min(range.end(), size_);
    while (position < end) {
      seek(position);
      const std::uint64_t begin = std::max(position, data_.offset);
      if (begin >= end) return;
      position = std::min(end, data_.end());
      visit(Extent{begin, position - begin});
    }
  }

 private:
  // Makes data_ the first data that ends after `position`.
  void seek(std::uint64_t position) {
    if (position >= hole_before_ && position < data_.end()) return;
    hole_before_ = position;
    data_ = file_.next_data(position).value_or(Extent{size_, ~0ULL - size_});
  }

  const ReadableFile& file_;
  std::uint64_t size_;
  std::uint64_t hole_before_ = 0;  // no data from here to data_.offset
  Extent data_;
};

// The parts of the extents that are not holes in the file. All lists ascend, and extents do not touch.
inline std::vector<Extent> data_in(const ReadableFile& file, std::span<const Extent> extents) {
  std::vector<Extent> parts;
  DataCursor data(file);
  for (const Extent& extent : extents)
    data.for_each_in(extent, [&](Extent part) { add_joined(parts, part); });
  return parts;
}

}  // namespace e2qcow
