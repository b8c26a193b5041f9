// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/remote_options.h"

#include <algorithm>
#include <array>
#include <span>

#include "cli/sizes.h"
#include "nbd/nbd_name.h"

namespace e2qcow::cli {
namespace {

constexpr std::array kWithDisks{"dump", "measure", "compare", "restore", "audit"};

// An option for a number of seconds.
void add_seconds_option(CLI::App& command, const std::string& name, std::chrono::seconds& target,
                        NumberRange range, const std::string& help) {
  command
      .add_option_function<std::string>(
          name,
          [name, &target, range](const std::string& text) {
            target = std::chrono::seconds(parse_number(name, text, range));
          },
          help)
      ->type_name("SECONDS");
}

}  // namespace

void add_remote_options(CLI::App& command, nbd::Options& options) {
  add_number_option(command, "--connections", options.connections, {1, 64},
                    "Connections to an NBD server (default: 4 if it says that it takes several, or 1)")
      ->type_name("N");
  add_seconds_option(command, "--reconnect", options.reconnect, {0, 86400},
                     "How long to try to reach an NBD server again after a lost connection (default: 30)");
  add_seconds_option(command, "--timeout", options.timeout, {1, 86400},
                     "How long to wait for a reply of an NBD server (default: 60)");
}

std::vector<std::string> with_joined_brackets(const std::vector<std::string>& words) {
  if (words.empty() || std::ranges::find(kWithDisks, words.front()) == kWithDisks.end()) return words;
  std::vector<std::string> joined;
  for (auto word = words.begin(); word != words.end(); ++word) {
    const auto end = *word == "[" ? std::find(word, words.end(), "]") : word;
    if (end == words.end()) throw CLI::ValidationError("[: the command after it does not end with ]");
    joined.push_back(end == word ? *word : nbd::name_of_command(std::span(word + 1, end)));
    word = end;
  }
  return joined;
}

}  // namespace e2qcow::cli
