// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include "base/extents.h"

namespace e2qcow {

// Calls visit(Extent) for the parts of the range that are in extents of the source, in order.
template <typename Visit>
void for_each_part(const ImageSource& source, Extent range, Visit visit) {
  for (auto own = source.next_extent(range.offset); own && own->offset < range.end();) {
    const Extent part = common_part(*own, range);
    visit(part);
    if (part.end() == range.end()) return;
    own = source.next_extent(part.end());
  }
}

// Reads with zeros where the source has no extents, or has ended.
void read_padded(const ImageSource& source, std::uint64_t guest_offset, std::span<std::byte> out);

}  // namespace e2qcow
