// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/file_window.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>

namespace e2qcow {

FileWindow::FileWindow(const ReadableFile& file, Extent window) : ForwardingFile(file), window_(window) {
  if (window.offset > file.size() || window.length > file.size() - window.offset)
    fail(Errc::truncated,
         fmt::format("{}: {} bytes at {} are not inside it", file.name(), window.length, window.offset));
}

void FileWindow::read(std::uint64_t offset, std::span<std::byte> out) const {
  if (offset > window_.length || out.size() > window_.length - offset)
    fail(Errc::truncated, fmt::format("{}: {} bytes at {} are past the end", name(), out.size(), offset));
  below().read(window_.offset + offset, out);
}

std::optional<Extent> FileWindow::next_data(std::uint64_t offset) const {
  if (offset >= window_.length) return std::nullopt;
  const auto found = below().next_data(window_.offset + offset);
  if (!found || found->offset >= window_.end()) return std::nullopt;
  return Extent{found->offset - window_.offset, std::min(found->end(), window_.end()) - found->offset};
}

std::optional<ReadableFile::Descriptor> FileWindow::descriptor() const {
  auto descriptor = below().descriptor();
  if (descriptor) descriptor->offset += window_.offset;
  return descriptor;
}

}  // namespace e2qcow
