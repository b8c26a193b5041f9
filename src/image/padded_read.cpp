// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/padded_read.h"

#include <algorithm>

namespace e2qcow {

void read_padded(const ImageSource& source, std::uint64_t guest_offset, std::span<std::byte> out) {
  std::uint64_t filled = guest_offset;  // up to here
  const auto zero_until = [&](std::uint64_t end) {
    std::ranges::fill(out.subspan(filled - guest_offset, end - filled), std::byte{0});
  };
  for_each_part(source, {guest_offset, out.size()}, [&](Extent part) {
    zero_until(part.offset);
    source.read(part.offset, out.subspan(part.offset - guest_offset, part.length));
    filled = part.end();
  });
  zero_until(guest_offset + out.size());
}

}  // namespace e2qcow
