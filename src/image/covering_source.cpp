// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/covering_source.h"

#include "base/extents.h"
#include "image/padded_read.h"

namespace e2qcow {
std::optional<Extent> CoveringSource::next_extent(std::uint64_t guest_offset) const {
  return next_part(extents_, guest_offset);
}

void CoveringSource::read(std::uint64_t guest_offset, std::span<std::byte> out) const {
  read_padded(source_, guest_offset, out);
}

void CoveringSource::prefetch(Extent range) const {
  for_each_part(source_, range, [this](Extent part) { source_.prefetch(part); });
}

std::optional<File::Descriptor> CoveringSource::stored_at(Extent range) const {
  const auto own = source_.next_extent(range.offset);
  const bool is_inside = own && own->offset == range.offset && own->end() >= range.end();
  return is_inside ? source_.stored_at(range) : std::nullopt;
}

}  // namespace e2qcow
