// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace e2qcow::cli {

// Words that shells propose for a value are kept in the name of the option's first validator.
CLI::Validator proposing(CLI::Validator validator, const std::vector<std::string>& words);
// A validator for that alone: there are other values.
CLI::Validator proposal(const std::vector<std::string>& words);
// Empty if there are none.
std::vector<std::string> words_of(const CLI::Option& option);

}  // namespace e2qcow::cli
