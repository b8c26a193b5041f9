// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/image_words.h"

#include <filesystem>

#include "work/image.h"

namespace e2qcow::plugin {

std::optional<std::string> find_image(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    for (const std::string& name : {word, word.substr(0, word.rfind('?'))}) {
      std::error_code not_there;
      if (std::filesystem::is_regular_file(name, not_there) && work::is_image(name)) return name;
    }
  }
  return std::nullopt;
}

}  // namespace e2qcow::plugin
