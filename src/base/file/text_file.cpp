// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/text_file.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <span>

namespace e2qcow {
namespace {

constexpr std::uint64_t kMaxBytes = 64 << 20;

}  // namespace

std::string read_text_file(const std::string& path) {
  const auto file = open_for_reading(path);
  const std::uint64_t size = file->size();
  if (size > kMaxBytes)
    fail(Errc::refused, fmt::format("{}: {} bytes are too large for a text file", path, size));
  std::string text(size, '\0');
  file->read(0, std::as_writable_bytes(std::span(text)));
  return text;
}

void commit_text(OutputFile& file, std::string_view text) {
  file.file().write(0, std::as_bytes(std::span(text)));
  file.commit(Durability::if_it_replaces);
}

}  // namespace e2qcow
