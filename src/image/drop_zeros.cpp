// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/drop_zeros.h"

#include "base/bytes.h"

namespace e2qcow {
namespace {

void drop_zeros_of_range(Batch& batch, std::uint64_t guest_offset, std::span<const std::byte> data,
                         std::uint64_t unit) {
  std::size_t start = 0;
  for (std::size_t position = 0; position < data.size(); position += unit) {
    if (!is_zero(data.subspan(position, unit))) continue;
    if (start < position)
      batch.pieces.push_back({guest_offset + start, data.subspan(start, position - start)});
    start = position + unit;
  }
  if (start < data.size()) batch.pieces.push_back({guest_offset + start, data.subspan(start)});
}

}  // namespace

void drop_zeros(Batch& batch, std::uint64_t unit) {
  batch.pieces.clear();
  std::span<const std::byte> data = batch.data;
  for (const Extent& range : batch.ranges) {
    drop_zeros_of_range(batch, range.offset, data.first(range.length), unit);
    data = data.subspan(range.length);
  }
}

}  // namespace e2qcow
