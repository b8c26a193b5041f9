// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/journal/replayed_file.h"

#include <algorithm>

#include "base/bytes.h"
#include "ext2/journal/journal_log.h"

namespace e2qcow::ext2 {

void ReplayedFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  below().read(offset, out);
  const std::uint64_t end = offset + out.size();
  std::vector<std::byte> block(block_size_);
  for (auto next = newer_.lower_bound(offset / block_size_); next != newer_.end(); ++next) {
    const std::uint64_t block_offset = next->first * block_size_;
    if (block_offset >= end) return;
    log_.read(next->second.device_block * block_size_, block);
    if (next->second.is_escaped) store_be(std::span(block), 0, JournalLog::kMagic);
    const std::uint64_t begin = std::max(offset, block_offset);
    const std::uint64_t length = std::min(end, block_offset + block_size_) - begin;
    std::ranges::copy(std::span(block).subspan(begin - block_offset, length),
                      out.subspan(begin - offset).begin());
  }
}

std::optional<Extent> ReplayedFile::next_data(std::uint64_t offset) const {
  const auto on_device = below().next_data(offset);
  const auto next = newer_.lower_bound(offset / block_size_);
  if (next == newer_.end()) return on_device;
  const std::uint64_t begin = std::max(offset, next->first * block_size_);
  if (on_device && on_device->offset <= begin) return on_device;
  return Extent{begin, (next->first + 1) * block_size_ - begin};
}

}  // namespace e2qcow::ext2
