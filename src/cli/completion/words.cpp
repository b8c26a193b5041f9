// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/completion/words.h"

#include <fmt/ranges.h>

#include <sstream>

namespace e2qcow::cli {

CLI::Validator proposing(CLI::Validator validator, const std::vector<std::string>& words) {
  return validator.name(fmt::format("{}", fmt::join(words, " ")));
}

CLI::Validator proposal(const std::vector<std::string>& words) {
  return proposing(CLI::Validator([](std::string&) { return std::string(); }, ""), words);
}

std::vector<std::string> words_of(const CLI::Option& option) {
  std::vector<std::string> words;
  try {
    // The library has no such function for what does not change.
    std::istringstream names(const_cast<CLI::Option&>(option).get_validator(0)->get_name());  // NOLINT
    for (std::string word; names >> word;) words.push_back(word);
  } catch (const CLI::OptionNotFound&) {  // it has no validator
  }
  return words;
}

}  // namespace e2qcow::cli
