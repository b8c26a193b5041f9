// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/completion/model.h"

#include "cli/completion/words.h"

namespace e2qcow::cli {
namespace {

using Kind = CompletionModel::Kind;

// By the word that stands for the value in --help.
Kind kind_of(const std::string& placeholder) {
  if (placeholder == "DEVICE" || placeholder == "TARGET") return Kind::device;
  if (placeholder == "IMAGE" || placeholder == "A" || placeholder == "B") return Kind::image;
  if (placeholder == "COMMAND") return Kind::program;
  const bool is_file =
      placeholder.find("FILE") != std::string::npos || placeholder.find("qcow2") != std::string::npos;
  return is_file ? Kind::file : Kind::none;
}

CompletionModel::Value value_of(const CLI::Option& option, const std::string& placeholder) {
  auto words = words_of(option);
  return words.empty() ? CompletionModel::Value{kind_of(placeholder)}
                       : CompletionModel::Value{Kind::words, std::move(words)};
}

CompletionModel::Option describe_option(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  const bool takes_value = option.get_items_expected_min() > 0;
  return {std::move(names), option.get_description(), takes_value,
          takes_value ? value_of(option, option.get_type_name()) : CompletionModel::Value{}};
}

CompletionModel::Command describe_command(const CLI::App& command) {
  CompletionModel::Command result{command.get_name(), command.get_description(), {}, {}};
  for (const CLI::Option* option : command.get_options()) {
    if (option->nonpositional()) result.options.push_back(describe_option(*option));
    if (option->get_positional())
      result.operands.push_back({option->get_name(true), value_of(*option, option->get_name(true)),
                                 option->get_items_expected_max() > 1});
  }
  return result;
}

}  // namespace

CompletionModel completion_model(const CLI::App& app) {
  CompletionModel model;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    model.commands.push_back(describe_command(*command));
  return model;
}

}  // namespace e2qcow::cli
