// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/completion/model.h"

namespace e2qcow::cli {
namespace {

using Kind = CompletionModel::Kind;

// Inside single quotes, in a specification of _arguments.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') result += '\\';
    if (c == '\'')
      result += "'\\''";
    else
      result += c;
  }
  return result;
}

std::string action(const CompletionModel::Value& value) {
  switch (value.kind) {
    case Kind::words:
      return escaped(fmt::format("({})", fmt::join(value.words, " ")));
    case Kind::device:
      return "_e2qcow_devices";
    case Kind::image:
      return "_files -g \"*.qcow2\"";
    case Kind::file:
      return "_files";
    case Kind::program:
      return "_command_names -e";
    case Kind::none:
      break;
  }
  return " ";
}

std::string specification(const CompletionModel::Option& option, const std::string& name) {
  const std::string others = option.names.size() > 1 ? fmt::format("({})", fmt::join(option.names, " ")) : "";
  const bool is_long = name.starts_with("--");
  const std::string value = option.takes_value ? ":value:" + action(option.value) : "";
  return fmt::format("      '{}{}{}[{}]{}' \\\n", others, name, option.takes_value && is_long ? "=" : "",
                     escaped(option.description), value);
}

std::string arguments_of(const CompletionModel::Command& command) {
  std::string text = fmt::format("    {})\n      _arguments -s -S \\\n", command.name);
  for (const auto& option : command.options)
    for (const std::string& name : option.names) text += specification(option, name);
  for (const auto& operand : command.operands)
    text +=
        operand.value.kind == Kind::program
            ? fmt::format("      ':{}:{}' '*::arguments:_files' \\\n", operand.name, action(operand.value))
            : fmt::format("      '{}:{}:{}' \\\n", operand.is_repeated ? "*" : "", operand.name,
                          action(operand.value));
  text.erase(text.size() - 3);  // what joins lines
  return text + "\n      ;;\n";
}

constexpr const char* kZshDevices = R"script(
_e2qcow_devices() {
  local -a devices
  devices=(${(f)"$(lsblk -rpno FSTYPE,NAME 2>/dev/null | sed -n 's/^ext[234] //p')"})
  compadd -a devices
  _files
}

)script";

}  // namespace

std::string zsh_completion(const CompletionModel& model) {
  std::string commands;
  std::string arguments;
  for (const auto& command : model.commands) {
    commands += fmt::format("    '{}:{}'\n", command.name, escaped(command.description));
    arguments += arguments_of(command);
  }
  return "#compdef e2qcow\n# made by: e2qcow completion zsh\n" + std::string(kZshDevices) +
         "_e2qcow() {\n  local -a commands\n  local state line context\n  commands=(\n" + commands +
         "  )\n  _arguments -C '1: :->command' '*:: :->words'\n"
         "  [[ $state != command ]] || _describe command commands\n"
         "  [[ $state == words ]] || return\n  case $words[1] in\n" +
         arguments + "  esac\n}\n\n" +
         "if [[ $funcstack[1] == _e2qcow ]]; then _e2qcow \"$@\"; else compdef _e2qcow e2qcow; fi\n";
}

}  // namespace e2qcow::cli
