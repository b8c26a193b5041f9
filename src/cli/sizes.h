// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <type_traits>

#include "base/printable.h"

namespace e2qcow::cli {

// 1536 -> "1.5 KiB"
std::string human_size(std::uint64_t bytes);

// "64k", "1M", "2G" or plain bytes. `option` begins the message of a CLI::ValidationError.
std::uint64_t parse_size(const std::string& option, const std::string& text);

// A number in a range, in digits alone.
struct NumberRange {
  std::uint64_t least;
  std::uint64_t most;
};
std::uint64_t parse_number(const std::string& option, const std::string& text, NumberRange range);

// Adds an option that takes a size or a number.
template <typename Target>
CLI::Option* add_size_option(CLI::App& command, const std::string& name, Target& target,
                             const std::string& help) {
  return command.add_option_function<std::string>(
      name, [name, &target](const std::string& text) { target = parse_size(name, text); }, help);
}
template <typename Target>
CLI::Option* add_number_option(CLI::App& command, const std::string& name, Target& target, NumberRange range,
                               const std::string& help) {
  const auto parse = [name, &target, range](const std::string& text) {
    if constexpr (std::is_arithmetic_v<Target>)
      target = static_cast<Target>(parse_number(name, text, range));
    else
      target = static_cast<typename Target::value_type>(parse_number(name, text, range));
  };
  return command.add_option_function<std::string>(name, parse, help);
}

}  // namespace e2qcow::cli
