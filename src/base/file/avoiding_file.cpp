// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/avoiding_file.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/extents.h"

namespace e2qcow {

void AvoidingFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  if (any_overlaps(areas_, {offset, out.size()}))
    fail(Errc::unreadable,
         fmt::format("{}: read at {}: known to be bad, or not rescued yet", name(), offset));
  below().read(offset, out);
}

std::optional<Extent> AvoidingFile::next_data(std::uint64_t offset) const {
  const auto data = below().next_data(offset);
  const auto rest = from_first_after(areas_, offset);
  if (rest.empty()) return data;
  const Extent area = common_part(rest.front(), {offset, size() - std::min(size(), offset)});
  return area.empty() || (data && data->offset <= area.offset) ? data : area;
}

void AvoidingFile::prefetch(Extent range) const {
  const std::uint64_t before = std::min(range.offset, kPrefetchMargin);
  const std::uint64_t behind = std::min(size() - std::min(size(), range.end()), kPrefetchMargin);
  if (!any_overlaps(areas_, {range.offset - before, before + range.length + behind})) below().prefetch(range);
}

}  // namespace e2qcow
