// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace e2qcow::cli {

// The words of a command line, without the program's name, as the parser takes them: "help dump" is
// "dump --help", and the program after exec needs no "--". Throws CLI::ValidationError for a command that
// does not exist, with the name of one that is spelled alike.
std::vector<std::string> understood_words(const CLI::App& app, std::vector<std::string> words);

// "; did you mean --list?" for a word that is none of the options of the command; empty if none is alike.
std::string suggestion_for_option(const CLI::App& command, const std::string& word);

}  // namespace e2qcow::cli
