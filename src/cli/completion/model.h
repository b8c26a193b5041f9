// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace e2qcow::cli {

// What a shell has to know of the command line, taken from its definition, so that it cannot be out of date.
struct CompletionModel {
  enum class Kind { none, words, device, image, file, program };
  struct Value {
    Kind kind = Kind::none;
    std::vector<std::string> words{};  // all values, for Kind::words
  };
  struct Option {
    std::vector<std::string> names;  // "-a", "--all"
    std::string description;
    bool takes_value;
    Value value;
  };
  struct Operand {
    std::string name;
    Value value;
    bool is_repeated;
  };
  struct Command {
    std::string name;
    std::string description;
    std::vector<Option> options;
    std::vector<Operand> operands;
  };
  std::vector<Command> commands;
};
CompletionModel completion_model(const CLI::App& app);

// Scripts that complete the words of the program `e2qcow`.
std::string bash_completion(const CompletionModel& model);
std::string zsh_completion(const CompletionModel& model);
std::string fish_completion(const CompletionModel& model);

}  // namespace e2qcow::cli
