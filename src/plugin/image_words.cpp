// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/image_words.h"

#include <algorithm>
#include <filesystem>

#include "work/image.h"

namespace e2qcow::plugin {
namespace {

namespace fs = std::filesystem;

bool is_name_of_image(const std::string& name) {
  std::error_code not_there;
  const fs::file_status status = fs::status(name, not_there);
  return (fs::is_regular_file(status) || fs::is_block_file(status)) && work::is_image(name);
}

// What is between the characters that end a word for shells, or begin the value of an option.
std::vector<std::string> parts(const std::string& word) {
  constexpr const char* kSeparators = " \t\n;|&<>()'\"`=,";
  std::vector<std::string> found;
  for (std::size_t begin = 0; begin < word.size();) {
    const std::size_t end = std::min(word.find_first_of(kSeparators, begin), word.size());
    if (end > begin) found.push_back(word.substr(begin, end - begin));
    begin = end + 1;
  }
  return found;
}

}  // namespace

std::optional<std::string> find_image(const std::vector<std::string>& words) {
  for (const std::string& word : words)
    for (const std::string& name : {word, word.substr(0, word.rfind('?'))})
      if (is_name_of_image(name)) return name;
  return std::nullopt;
}

std::vector<std::string> named_images(const std::vector<std::string>& words) {
  std::vector<std::string> images;
  for (const std::string& word : words) {
    if (const auto image = find_image({word}))
      images.push_back(*image);
    else
      for (const std::string& part : parts(word))
        if (const auto inside = find_image({part})) images.push_back(*inside);
  }
  return images;
}

}  // namespace e2qcow::plugin
