// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/extent_source.h"

#include <algorithm>

#include "base/bytes.h"

namespace e2qcow {
namespace {

// How far a device may work ahead of what is read: enough to hide seeks and round trips.
constexpr std::uint64_t kAheadBytes = 16 << 20;
constexpr std::size_t kAheadExtents = 256;
constexpr std::uint64_t kAheadStep = 1 << 20;  // a request

}  // namespace

std::uint64_t image_size(const ReadableFile& file) {
  return round_up(file.size(), 512);
}

ExtentSource::ExtentSource(const ReadableFile& file, std::vector<Extent> extents)
    : file_(file), size_(image_size(file)), extents_(std::move(extents)) {}

std::optional<Extent> ExtentSource::next_extent(std::uint64_t guest_offset) {
  for (; current_ < extents_.size() && extents_[current_].end() <= guest_offset; ++current_)
    passed_bytes_ += extents_[current_].length;
  if (current_ == extents_.size()) return std::nullopt;
  const Extent found = extents_[current_];
  const std::uint64_t skipped = guest_offset - std::min(guest_offset, found.offset);
  prefetch_until(passed_bytes_ + skipped + kAheadBytes);
  return Extent{found.offset + skipped, found.length - skipped};
}

std::optional<File::Descriptor> ExtentSource::stored_at(Extent range) const {
  auto place = file_.is_lost(range) ? std::nullopt : file_.descriptor();
  if (place) place->offset += range.offset;
  return place;
}

// Asks for the extents' bytes up to the given number of them.
void ExtentSource::prefetch_until(std::uint64_t bytes) {
  while (prefetched_bytes_ < bytes && prefetching_.extent < extents_.size() &&
         prefetching_.extent < current_ + kAheadExtents) {
    const Extent extent = extents_[prefetching_.extent];
    const std::uint64_t length = std::min(kAheadStep, extent.length - prefetching_.inside);
    file_.prefetch({extent.offset + prefetching_.inside, length});
    prefetched_bytes_ += length;
    prefetching_.inside += length;
    if (prefetching_.inside == extent.length) prefetching_ = {prefetching_.extent + 1, 0};
  }
}

}  // namespace e2qcow
