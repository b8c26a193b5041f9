// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/avoiding_file.h"

#include <fmt/format.h>

#include <algorithm>

namespace e2qcow {

bool AvoidingFile::overlaps_an_area(Extent range) const {
  const auto next = std::ranges::upper_bound(areas_, range.offset, {}, &Extent::end);
  return next != areas_.end() && next->offset < range.end();
}

void AvoidingFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  if (overlaps_an_area({offset, out.size()}))
    fail(Errc::unreadable,
         fmt::format("{}: read at {}: known to be bad, or not rescued yet", name(), offset));
  below().read(offset, out);
}

void AvoidingFile::prefetch(Extent range) const {
  const std::uint64_t before = std::min(range.offset, kPrefetchMargin);
  const std::uint64_t behind = std::min(size() - std::min(size(), range.end()), kPrefetchMargin);
  if (!overlaps_an_area({range.offset - before, before + range.length + behind})) below().prefetch(range);
}

}  // namespace e2qcow
