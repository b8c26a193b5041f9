// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/report_strings.h"

#include <charconv>
#include <nlohmann/json.hpp>

namespace e2qcow::cli {
namespace {

// Undoes what printable() makes of bytes that cannot be printed: "\x0a". Other text that looks so cannot be
// told apart.
std::string unescaped(const std::string& text) {
  constexpr std::size_t kEscape = 4;
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    const char* digits = text.data() + i + 2;
    const bool is_escape = text.compare(i, 2, "\\x") == 0 && i + kEscape <= text.size() &&
                           std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2;
    result += is_escape ? static_cast<char>(byte) : text[i];
    if (is_escape) i += kEscape - 1;
  }
  return result;
}

void add_strings(const nlohmann::json& json, std::string& result) {
  if (json.is_string()) result += unescaped(json.get<std::string>()) + "\n";
  for (const auto& part : json)
    if (json.is_structured()) add_strings(part, result);
}

}  // namespace

std::string strings_in_report(const std::string& report) {
  std::string result;
  const auto json = nlohmann::json::parse(report, nullptr, false);
  if (!json.is_discarded()) add_strings(json, result);
  return result;
}

}  // namespace e2qcow::cli
