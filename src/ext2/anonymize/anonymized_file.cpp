// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/anonymize/anonymized_file.h"

#include <algorithm>

#include "base/bytes.h"

namespace e2qcow::ext2 {

void AnonymizedFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  const bool is_inside = offset <= size() && out.size() <= size() - offset;
  if (!is_inside) return below().read(offset, out);  // it knows how to fail
  const std::uint64_t begin = round_down(offset, block_size_);
  const std::uint64_t end = std::min(round_up(offset + out.size(), block_size_), size());
  if (begin == offset && end == offset + out.size()) {
    below().read(offset, out);
    return replace(begin / block_size_, out);
  }
  std::vector<std::byte> blocks(end - begin);
  below().read(begin, blocks);
  replace(begin / block_size_, blocks);
  std::ranges::copy(std::span(blocks).subspan(offset - begin, out.size()), out.begin());
}

// A part of a block at the end of the device is in no file system.
void AnonymizedFile::replace(std::uint64_t block, std::span<std::byte> blocks) const {
  std::array<Tally, kBlockClasses> tallies{};
  for (; !blocks.empty(); ++block) {
    const auto bytes = blocks.first(std::min<std::size_t>(block_size_, blocks.size()));
    const auto block_class = anonymizer_.class_of(block);
    if (bytes.size() < block_size_ || !block_class)
      clear(bytes);
    else
      anonymizer_.replace(block, bytes, tallies[static_cast<std::size_t>(*block_class)]);
    blocks = blocks.subspan(bytes.size());
  }
  const std::scoped_lock lock(mutex_);
  for (std::size_t i = 0; i < tallies.size(); ++i) tallies_[i] += tallies[i];
}

std::array<Tally, kBlockClasses> AnonymizedFile::tallies() const {
  const std::scoped_lock lock(mutex_);
  return tallies_;
}

}  // namespace e2qcow::ext2
