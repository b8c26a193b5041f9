// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/completion/model.h"

namespace e2qcow::cli {
namespace {

using Kind = CompletionModel::Kind;

// As _e2qcow_propose() below takes it.
std::string proposal(const CompletionModel::Value& value) {
  switch (value.kind) {
    case Kind::words:
      return fmt::format("words {}", fmt::join(value.words, " "));
    case Kind::device:
      return "device";
    case Kind::image:
      return "image";
    case Kind::file:
      return "file";
    case Kind::program:
      return "program";
    case Kind::none:
      break;
  }
  return "none";
}

std::string options_of(const CompletionModel::Command& command) {
  std::string text;
  for (const auto& option : command.options) text += fmt::format(" {}", fmt::join(option.names, " "));
  return text;
}

std::string values_of(const CompletionModel::Command& command) {
  std::string text;
  for (const auto& option : command.options) {
    if (!option.takes_value) continue;
    for (const std::string& name : option.names)
      text += fmt::format("    {}:{}) echo '{}' ;;\n", command.name, name, proposal(option.value));
  }
  return text;
}

std::string operands_of(const CompletionModel::Command& command) {
  std::string text;
  for (std::size_t i = 0; i < command.operands.size(); ++i) {
    const auto& operand = command.operands[i];
    text += fmt::format("    {}:{}) echo '{}' ;;\n", command.name,
                        operand.is_repeated ? "*" : std::to_string(i), proposal(operand.value));
  }
  return text;
}

std::string for_each(const CompletionModel& model, std::string (*lines)(const CompletionModel::Command&)) {
  std::string text;
  for (const auto& command : model.commands) text += lines(command);
  return text;
}

std::string option_line(const CompletionModel::Command& command) {
  return fmt::format("    {}) echo '{}' ;;\n", command.name, options_of(command));
}

std::string names_of(const CompletionModel& model) {
  std::string text;
  for (const auto& command : model.commands) text += command.name + " ";
  return text + "--help --version";
}

constexpr const char* kFunctions = R"script(
_e2qcow_propose() {
  local kind=$1 current=$2 devices
  shift 2
  case $kind in
    words) mapfile -t COMPREPLY < <(compgen -W "$*" -- "$current") ;;
    program) mapfile -t COMPREPLY < <(compgen -c -- "$current" | sort -u) ;;
    image)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -X '!*.qcow2' -- "$current"; compgen -d -- "$current")
      ;;
    device | file)
      compopt -o filenames 2>/dev/null
      [ "$kind" = file ] || devices=$(lsblk -rpno FSTYPE,NAME 2>/dev/null | sed -n 's/^ext[234] //p')
      mapfile -t COMPREPLY < <(compgen -f -- "$current"; compgen -W "$devices" -- "$current")
      ;;
  esac
}

_e2qcow() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local command=${COMP_WORDS[1]} count=0 i value
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    _e2qcow_propose words "$current" "$(_e2qcow_commands)"
    return
  fi
  # Bash makes three words of --option=value.
  [ "$previous" != = ] || previous=${COMP_WORDS[COMP_CWORD - 2]}
  [ "$current" != = ] || current=
  value=$(_e2qcow_value "$command:$previous")
  if [ -n "$value" ]; then
    # shellcheck disable=SC2086
    _e2qcow_propose ${value%% *} "$current" ${value#* }
    return
  fi
  if [[ $current == -* ]]; then
    _e2qcow_propose words "$current" "$(_e2qcow_options "$command")"
    return
  fi
  for ((i = 2; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      --) ;;
      -*) [ -z "$(_e2qcow_value "$command:${COMP_WORDS[i]}")" ] || ((i++)) ;;
      =) ((i++)) ;;
      *) ((count++)) ;;
    esac
  done
  if [ "$command" = exec ] && [ "$count" -gt 0 ]; then
    _e2qcow_propose file "$current"
    return
  fi
  value=$(_e2qcow_operand "$command:$count")
  # shellcheck disable=SC2086
  [ -z "$value" ] || _e2qcow_propose ${value%% *} "$current" ${value#* }
}

complete -F _e2qcow e2qcow
)script";

}  // namespace

std::string bash_completion(const CompletionModel& model) {
  return "# bash completion of e2qcow, made by: e2qcow completion bash\n" +
         fmt::format("_e2qcow_commands() {{ echo '{}'; }}\n", names_of(model)) +
         "_e2qcow_options() {\n  case $1 in\n" + for_each(model, option_line) + "  esac\n}\n" +
         "_e2qcow_value() {\n  case $1 in\n" + for_each(model, values_of) + "  esac\n}\n" +
         "_e2qcow_operand() {\n  case $1 in\n" + for_each(model, operands_of) + "  esac\n}\n" + kFunctions;
}

}  // namespace e2qcow::cli
