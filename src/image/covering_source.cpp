// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/covering_source.h"

#include <algorithm>

#include "base/extents.h"

namespace e2qcow {
namespace {

// Calls visit(Extent) for the parts of the range that the source has.
template <typename Visit>
void for_each_part(const ImageSource& source, Extent range, Visit visit) {
  for (auto own = source.next_extent(range.offset); own && own->offset < range.end();) {
    const Extent part = common_part(*own, range);
    visit(part);
    if (part.end() == range.end()) return;
    own = source.next_extent(part.end());
  }
}

}  // namespace

std::optional<Extent> CoveringSource::next_extent(std::uint64_t guest_offset) const {
  const auto rest = from_first_after(extents_, guest_offset);
  if (rest.empty()) return std::nullopt;
  const std::uint64_t begin = std::max(guest_offset, rest.front().offset);
  return Extent{begin, rest.front().end() - begin};
}

void CoveringSource::read(std::uint64_t guest_offset, std::span<std::byte> out) const {
  std::uint64_t filled = guest_offset;  // up to here
  const auto zero_until = [&](std::uint64_t end) {
    std::ranges::fill(out.subspan(filled - guest_offset, end - filled), std::byte{0});
  };
  for_each_part(source_, {guest_offset, out.size()}, [&](Extent part) {
    zero_until(part.offset);
    source_.read(part.offset, out.subspan(part.offset - guest_offset, part.length));
    filled = part.end();
  });
  zero_until(guest_offset + out.size());
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
