// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/sizes.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>

namespace e2qcow::cli {
std::string human_size(std::uint64_t bytes) {
  constexpr std::array kUnits{"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1023.95 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::uint64_t parse_size(const std::string& option, const std::string& text) {
  std::uint64_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  if (unit.size() == 3 && unit.ends_with("iB")) unit.remove_suffix(2);
  constexpr std::string_view kUnits = "kmgtp";
  std::size_t power = 0;
  if (unit.size() == 1) power = kUnits.find(static_cast<char>(std::tolower(unit[0]))) + 1;
  const bool bad_unit = unit.size() > 1 || (unit.size() == 1 && power == 0);
  if (error != std::errc() || bad_unit || value > (std::numeric_limits<std::uint64_t>::max() >> (10 * power)))
    throw CLI::ValidationError(fmt::format("{}: '{}' is not a size (as 512, 64k, 1M, 2G)", option, text));
  return value << (10 * power);
}

std::uint64_t parse_number(const std::string& option, const std::string& text, NumberRange range) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end || value < range.least || value > range.most)
    throw CLI::ValidationError(
        fmt::format("{}: '{}' is not a number from {} to {}", option, text, range.least, range.most));
  return value;
}

}  // namespace e2qcow::cli
