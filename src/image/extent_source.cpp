// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/extent_source.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/extents.h"

namespace e2qcow {
std::uint64_t image_size(const ReadableFile& file) {
  return round_up(file.size(), kSector);
}

ExtentSource::ExtentSource(const ReadableFile& file, std::vector<Extent> extents)
    : file_(file), size_(image_size(file)), extents_(std::move(extents)) {}

std::optional<Extent> ExtentSource::next_extent(std::uint64_t guest_offset) const {
  return next_part(extents_, guest_offset);
}

std::optional<File::Descriptor> ExtentSource::stored_at(Extent range) const {
  auto place = file_.is_lost(range) ? std::nullopt : file_.descriptor();
  if (place) place->offset += range.offset;
  return place;
}

}  // namespace e2qcow
