// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/command_words.h"

#include <fmt/format.h>

#include <algorithm>

namespace e2qcow::cli {
namespace {

using Words = std::vector<std::string>;

// How many letters are to be put in, left out, changed, or exchanged with the next one.
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<std::size_t>> distance(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      std::size_t& least = distance[i][j];
      if (i == 0 || j == 0) {
        least = i + j;
        continue;
      }
      const std::size_t changed = a[i - 1] == b[j - 1] ? 0 : 1;
      least = std::min({distance[i - 1][j] + 1, distance[i][j - 1] + 1, distance[i - 1][j - 1] + changed});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        least = std::min(least, distance[i - 2][j - 2] + 1);
    }
  }
  return distance[a.size()][b.size()];
}

// Longer words are none that somebody has mistyped.
std::string suggestion(const std::string& word, const Words& known) {
  constexpr std::size_t kLongest = 40;
  if (known.empty() || word.size() > kLongest) return "";
  const auto nearest =
      std::ranges::min_element(known, {}, [&](const std::string& name) { return edit_distance(word, name); });
  const std::size_t most = std::min<std::size_t>(2, word.size() / 2);
  if (edit_distance(word, *nearest) > most) return "";
  return fmt::format("; did you mean {}?", *nearest);
}

Words command_names(const CLI::App& app) {
  Words names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  return names;
}

bool is_option(const std::string& word) {
  return word.size() > 1 && word.starts_with('-');
}

// Whether its value is the next word.
bool takes_next_word(const CLI::App& command, const std::string& word) {
  if (word.find('=') != std::string::npos) return false;
  const CLI::Option* option = command.get_option_no_throw(word);
  return option != nullptr && option->get_items_expected_max() > 0;
}

// Everything from the program's name on belongs to the program.
void separate_program(const CLI::App& command, Words& words) {
  auto word = words.begin() + 1;
  while (word != words.end() && is_option(*word) && *word != "--")
    word += takes_next_word(command, *word) && word + 1 != words.end() ? 2 : 1;
  if (word != words.end() && *word != "--") words.insert(word, "--");
}

}  // namespace

Words understood_words(const CLI::App& app, Words words) {
  if (!words.empty() && words[0] == "help") {
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  if (words.empty() || words[0].empty() || words[0][0] == '-') return words;
  const Words names = command_names(app);
  if (std::ranges::find(names, words[0]) == names.end())
    throw CLI::ValidationError(
        fmt::format("there is no command '{}'{}", words[0], suggestion(words[0], names)));
  if (words[0] == "exec") separate_program(*app.get_subcommand("exec"), words);
  return words;
}

std::string suggestion_for_option(const CLI::App& command, const std::string& word) {
  Words names;
  for (const CLI::Option* option : command.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return suggestion(word.substr(0, word.find('=')), names);
}

}  // namespace e2qcow::cli
