#include "image/extent_source.h"

#include "base/bytes.h"

namespace e2qcow {

std::uint64_t image_size(const File& file) {
  return round_up(file.size(), 512);
}

ExtentSource::ExtentSource(const File& file, std::vector<Extent> extents)
    : file_(file), size_(image_size(file)), extents_(std::move(extents)) {}

std::optional<Extent> ExtentSource::next_extent(std::uint64_t guest_offset) {
  while (current_ < extents_.size() && extents_[current_].end() <= guest_offset) ++current_;
  if (current_ == extents_.size()) return std::nullopt;
  const Extent found = extents_[current_];
  if (found.offset >= guest_offset) return found;
  return Extent{guest_offset, found.end() - guest_offset};
}

}  // namespace e2qcow
