// SPDX-License-Identifier: GPL-2.0-or-later
#include <e2qcow/file.h>

#include <algorithm>
#include <array>

#include "base/stop.h"

namespace e2qcow {

std::size_t ReadableFile::read_up_to(std::uint64_t offset, std::span<std::byte> out) const {
  const std::uint64_t end = size();
  out = out.first(std::min<std::uint64_t>(out.size(), end - std::min(end, offset)));
  read(offset, out);
  return out.size();
}

std::optional<Extent> ReadableFile::next_data(std::uint64_t offset) const {
  if (offset >= size()) return std::nullopt;
  return Extent{offset, size() - offset};
}

void File::write(std::uint64_t offset, std::span<const std::span<const std::byte>> parts) {
  for (const auto& part : parts) {
    write(offset, part);
    offset += part.size();
  }
}

void File::zero(Extent range, Zeroing /*how*/) {
  static constexpr std::array<std::byte, 256 * 1024> kZeros{};
  while (!range.empty()) {
    throw_if_stopped();
    const std::uint64_t length = std::min<std::uint64_t>(range.length, kZeros.size());
    write(range.offset, std::span(kZeros).first(length));
    range = {range.offset + length, range.length - length};
  }
}

}  // namespace e2qcow
