// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/read/named_file.h"

namespace e2qcow::qcow2 {

std::optional<DiskFormat> format_of_name(std::string_view name) {
  if (name == "raw") return DiskFormat::raw;
  if (name == "qcow2") return DiskFormat::qcow2;
  return std::nullopt;
}

NamedFile parse_named_file(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return {text, std::nullopt};
  const auto format = format_of_name(std::string_view(text).substr(colon + 1));
  return {format ? text.substr(0, colon) : text, format};
}

}  // namespace e2qcow::qcow2
