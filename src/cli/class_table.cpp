// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/class_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/sizes.h"
#include "image/block_class.h"

namespace e2qcow::cli {
namespace {

std::string name_of(std::uint8_t number) {
  const std::string_view name = class_name(static_cast<BlockClass>(number));
  return name.empty() ? fmt::format("class {}", number) : std::string(name);
}

}  // namespace

std::string class_table(std::span<const DumpRecord::ClassBytes> classes) {
  std::vector<DumpRecord::ClassBytes> sorted(classes.begin(), classes.end());
  std::ranges::stable_sort(sorted, std::ranges::greater(), &DumpRecord::ClassBytes::bytes);
  std::string table;
  for (const auto& [block_class, bytes] : sorted)
    table += fmt::format("  {:<18} {:>12}\n", name_of(block_class), human_size(bytes));
  return table;
}

nlohmann::ordered_json classes_json(std::span<const DumpRecord::ClassBytes> classes) {
  auto json = nlohmann::ordered_json::object();
  for (const auto& [block_class, bytes] : classes) json[name_of(block_class)] = bytes;
  return json;
}

}  // namespace e2qcow::cli
