// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/overlay_option.h"

#include <algorithm>
#include <filesystem>
#include <string>

#include "base/storage.h"

namespace e2qcow::cli {
namespace {

namespace fs = std::filesystem;

// A name with '=' is always IMAGE=FILE, so that a mistyped IMAGE makes no file of a strange name.
plugin::NamedOverlay parse_overlay(const std::string& text) {
  if (text.find('=') == std::string::npos) return {"", text};
  for (auto sign = text.find('='); sign != std::string::npos; sign = text.find('=', sign + 1))
    if (sign + 1 < text.size() && fs::exists(text.substr(0, sign)))
      return {text.substr(0, sign), text.substr(sign + 1)};
  throw CLI::ValidationError("--overlay: " + text + " names no existing image as IMAGE=FILE");
}

bool are_of_one_image(const plugin::NamedOverlay& a, const plugin::NamedOverlay& b) {
  if (a.image.empty() || b.image.empty()) return a.image.empty() && b.image.empty();
  return overlap(stored_ranges(a.image), stored_ranges(b.image));
}

void add_overlay(std::vector<plugin::NamedOverlay>& overlays, const std::string& text) {
  const plugin::NamedOverlay added = parse_overlay(text);
  if (std::ranges::any_of(overlays, [&](const auto& other) { return are_of_one_image(added, other); }))
    throw CLI::ValidationError("--overlay: " + text +
                               " is a second one for the same image; name one for each as IMAGE=FILE");
  overlays.push_back(added);
}

}  // namespace

void add_overlay_option(CLI::App& command, std::vector<plugin::NamedOverlay>& overlays) {
  command
      .add_option_function<std::vector<std::string>>(
          "--overlay",
          [&overlays](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) add_overlay(overlays, text);
          },
          "Keep the changes in this qcow2 image, on top of the one opened; continue it if it exists. If "
          "several "
          "images are opened, repeat it for each (default: changes are discarded at the end)")
      ->type_name("[IMAGE=]NEW.qcow2")
      ->allow_extra_args(false);
}

}  // namespace e2qcow::cli
