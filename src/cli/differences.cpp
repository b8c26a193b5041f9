// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/differences.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/printable.h"
#include "image/compare.h"

namespace e2qcow::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostFiles = 100;      // in the text
constexpr std::size_t kMostParts = 100'000;  // in JSON, of each kind

std::string what_differs(const ext2::AffectedFile& file) {
  if (!file.inode_is_lost) return fmt::format("{} bytes of it", file.lost_bytes);
  if (file.lost.size() == 1) return "its inode";
  return fmt::format("its inode, {} bytes in all", file.lost_bytes);
}

Json ranges_json(const std::vector<work::Differences::Part>& parts) {
  Json json = Json::array();
  for (const auto& [range, block_class] : parts) {
    if (json.size() == kMostParts) break;
    json.push_back({{"start", range.offset}, {"length", range.length}});
    if (block_class) json.back()["class"] = class_name(*block_class);
  }
  return json;
}

Json files_json(const std::vector<ext2::AffectedFile>& files) {
  Json json = Json::array();
  for (const ext2::AffectedFile& file : files) {
    if (json.size() == kMostParts) break;
    json.push_back({{"inode", file.inode}});
    if (!file.path.empty()) json.back()["path"] = printable(file.path);
    json.back()["inode-differs"] = file.inode_is_lost;
    json.back()["different-bytes"] = file.lost_bytes;
  }
  return json;
}

}  // namespace

void print_list(const work::Differences& differences) {
  fmt::print("{} bytes differ, in units of {}{}\n", differences.bytes, kDifferenceUnit,
             differences.is_coarse ? ", or lie between others that do: there are very many" : "");
  std::uint64_t rest = differences.bytes;
  for (const auto& [block_class, bytes] : differences.bytes_by_class) {
    fmt::print("  {}: {}\n", class_name(block_class), bytes);
    rest -= bytes;
  }
  if (rest > 0) fmt::print("  not in use: {}\n", rest);
  const auto& files = differences.files;
  for (std::size_t i = 0; i < std::min(files.size(), kMostFiles); ++i)
    fmt::print("inode {}, {}: {}\n", files[i].inode,
               files[i].path.empty() ? "path unknown" : printable(files[i].path), what_differs(files[i]));
  if (files.size() > kMostFiles) fmt::print("and {} more; --json lists them\n", files.size() - kMostFiles);
}

void add_list_json(Json& json, const work::Differences& differences) {
  json["different-bytes"] = differences.bytes;
  json["coarse"] = differences.is_coarse;
  json["differences"] = ranges_json(differences.parts);
  json["classes"] = Json::object();
  for (const auto& [block_class, bytes] : differences.bytes_by_class)
    json["classes"][class_name(block_class)] = bytes;
  json["files"] = files_json(differences.files);
}

}  // namespace e2qcow::cli
