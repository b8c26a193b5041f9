// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/completion/model.h"

namespace e2qcow::cli {
namespace {

using Kind = CompletionModel::Kind;

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') result += '\\';
    result += c;
  }
  return result + "'";
}

std::string fish_proposal(const CompletionModel::Value& value) {
  switch (value.kind) {
    case Kind::words:
      return fmt::format(" -x -a {}", quoted(fmt::format("{}", fmt::join(value.words, " "))));
    case Kind::device:
      return " -r -F -a '(__e2qcow_devices)'";
    case Kind::image:
      return " -x -a '(__fish_complete_suffix .qcow2)'";
    case Kind::program:
      return " -x -a '(__fish_complete_command)'";
    case Kind::file:
      return " -r -F";
    case Kind::none:
      break;
  }
  return " -x";
}

std::string option_line(const std::string& condition, const CompletionModel::Option& option) {
  std::string line = "complete -c e2qcow" + condition;
  for (const std::string& name : option.names)
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  if (option.takes_value) line += fish_proposal(option.value);
  return line + " -d " + quoted(option.description) + "\n";
}

std::string lines_of(const CompletionModel::Command& command) {
  const std::string condition = fmt::format(" -n '__fish_seen_subcommand_from {}'", command.name);
  std::string text = fmt::format("complete -c e2qcow -f -n __fish_use_subcommand -a {} -d {}\n", command.name,
                                 quoted(command.description));
  for (const auto& option : command.options) text += option_line(condition, option);
  for (const auto& operand : command.operands)
    text += "complete -c e2qcow" + condition + fish_proposal(operand.value) + "\n";
  return text;
}

constexpr const char* kDevices = R"script(function __e2qcow_devices
    lsblk -rpno FSTYPE,NAME 2>/dev/null | string replace -rf '^ext[234] ' ''
end
)script";

}  // namespace

std::string fish_completion(const CompletionModel& model) {
  std::string text = "# fish completion of e2qcow, made by: e2qcow completion fish\n" + std::string(kDevices);
  for (const auto& command : model.commands) text += lines_of(command);
  return text;
}

}  // namespace e2qcow::cli
