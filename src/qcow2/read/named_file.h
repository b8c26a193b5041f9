// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace e2qcow::qcow2 {

enum class DiskFormat { raw, qcow2 };

// A file as users name it: FILE, FILE:raw or FILE:qcow2.
struct NamedFile {
  std::string path;
  std::optional<DiskFormat> format;  // absent: not given
};
NamedFile parse_named_file(const std::string& text);

// Of "raw" and "qcow2"; absent for any other name.
std::optional<DiskFormat> format_of_name(std::string_view name);

}  // namespace e2qcow::qcow2
