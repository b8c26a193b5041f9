// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/overlay_name.h"

#include <filesystem>
#include <system_error>

#include "base/storage.h"

namespace e2qcow::plugin {
namespace {

namespace fs = std::filesystem;

// Empty if there is none: a file without a name.
fs::path directory_of(const std::string& overlay) {
  std::error_code no_directory;
  const fs::path parent = fs::absolute(overlay).parent_path();
  return fs::canonical(parent, no_directory);
}

}  // namespace

std::string backing_name(const std::string& image, const std::string& overlay) {
  const fs::path path(image);
  const std::string name = path.filename();
  const bool looks_like_protocol = name.find(':') != std::string::npos;
  const bool is_beside = path.parent_path() == directory_of(overlay) &&
                         path.parent_path() == directory_of(without_links(overlay));
  return is_beside && !looks_like_protocol ? name : image;
}

bool is_backing_name(const std::string& name, const std::string& image, const std::string& overlay) {
  return (directory_of(overlay) / name).lexically_normal() ==
         fs::path(image);  // an absolute name replaces all
}

}  // namespace e2qcow::plugin
