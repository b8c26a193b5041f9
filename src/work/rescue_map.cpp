// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/rescue_map.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "base/extents.h"

namespace e2qcow::work {
namespace {

constexpr std::string_view kBlanks = " \t\r";
constexpr std::string_view kStatuses = "?*/-+";

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  const std::size_t end = std::min(line.find_first_of(kBlanks), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

// Decimal, hexadecimal (0x) or octal (0), as ddrescue reads them.
std::optional<std::uint64_t> number(std::string_view word) {
  int base = 10;
  if (word.starts_with("0x") || word.starts_with("0X")) {
    base = 16;
    word.remove_prefix(2);
  } else if (word.size() > 1 && word.front() == '0') {
    base = 8;
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, base);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

}  // namespace

RescueMap RescueMap::parse(std::string_view text, const std::string& name) {
  RescueMap map;
  std::uint64_t line_number = 0;
  bool saw_status_line = false;
  while (!text.empty()) {
    ++line_number;
    std::string_view line = take_line(text);
    line = line.substr(0, line.find('#'));
    std::string_view rest = line;
    const std::string_view first = take_word(rest);
    if (first.empty()) continue;
    if (!saw_status_line) {  // where ddrescue was, and in which pass
      saw_status_line = true;
      if (number(first)) continue;
    }
    const auto position = number(first);
    const auto size = number(take_word(rest));
    const std::string_view status = take_word(rest);
    const std::uint64_t end = map.parts_.empty() ? 0 : map.parts_.back().range.end();
    const bool makes_sense = position && size && *size <= std::numeric_limits<std::int64_t>::max() &&
                             *position <= std::numeric_limits<std::int64_t>::max() - *size &&
                             (map.parts_.empty() || *position == end) && status.size() == 1 &&
                             kStatuses.find(status[0]) != std::string_view::npos;
    if (!makes_sense)
      fail(Errc::corrupt, fmt::format("{}: line {} is not valid in a ddrescue map file", name, line_number));
    map.append_until(*position, Status::not_tried);
    map.append_until(*position + *size, static_cast<Status>(status[0]));
  }
  if (map.parts_.empty()) fail(Errc::corrupt, name + ": not a ddrescue map file");
  return map;
}

RescueMap::RescueMap(std::uint64_t size, std::span<const Extent> finished, std::span<const Extent> bad) {
  for (std::uint64_t position = 0; position < size;) {
    while (!finished.empty() && finished.front().end() <= position) finished = finished.subspan(1);
    while (!bad.empty() && bad.front().end() <= position) bad = bad.subspan(1);
    const std::uint64_t next_finished = finished.empty() ? size : finished.front().offset;
    const std::uint64_t next_bad = bad.empty() ? size : bad.front().offset;
    if (next_bad <= position)
      append_until(position = bad.front().end(), Status::bad);
    else if (next_finished <= position)
      append_until(position = std::min(finished.front().end(), next_bad), Status::finished);
    else
      append_until(position = std::min(next_finished, next_bad), Status::not_tried);
  }
}

void RescueMap::append_until(std::uint64_t end, Status status) {
  const std::uint64_t begin = parts_.empty() ? 0 : parts_.back().range.end();
  if (end == begin) return;
  if (!parts_.empty() && parts_.back().status == status)
    parts_.back().range.length += end - begin;
  else
    parts_.push_back({{begin, end - begin}, status});
}

std::vector<Extent> RescueMap::unfinished() const {
  std::vector<Extent> areas;
  for (const Part& part : parts_)
    if (part.status != Status::finished) add_joined(areas, part.range);
  const std::uint64_t end = parts_.back().range.end();
  add_joined(areas, {end, std::numeric_limits<std::uint64_t>::max() - end});
  return areas;
}

RescueMap::Part RescueMap::at(std::uint64_t position) const {
  const auto part =
      std::ranges::upper_bound(parts_, position, {}, [](const Part& p) { return p.range.end(); });
  if (part == parts_.end())
    return {{position, std::numeric_limits<std::uint64_t>::max() - position}, Status::not_tried};
  return *part;
}

RescueMap RescueMap::explained_by(const RescueMap& known) const {
  RescueMap result;
  for (const Part& part : parts_) {
    if (part.status != Status::bad) result.append_until(part.range.end(), part.status);
    for (std::uint64_t position = part.range.offset;
         part.status == Status::bad && position < part.range.end();) {
      const Part reason = known.at(position);
      position = std::min(part.range.end(), reason.range.end());
      result.append_until(position, reason.status == Status::finished ? Status::bad : reason.status);
    }
  }
  return result;
}

std::string RescueMap::text(std::string_view program) const {
  std::string text =
      fmt::format("# Mapfile. Created by {}\n# current_pos  current_status  current_pass\n", program);
  text += "0x00000000     ?               1\n#      pos        size  status\n";
  for (const Part& part : parts_)
    text += fmt::format("0x{:08X}  0x{:08X}  {}\n", part.range.offset, part.range.length,
                        static_cast<char>(part.status));
  return text;
}

}  // namespace e2qcow::work
