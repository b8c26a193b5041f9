// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/message.h"
#include "cli/sizes.h"

namespace e2qcow::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxLines = 5;  // of each kind

// Prints the first lines, and how many more there are.
template <typename Items, typename Print>
void print_some(const std::string& device, const Items& items, const char* more, Print print) {
  for (std::size_t i = 0; i < std::min(items.size(), kMaxLines); ++i) print(items[i]);
  if (items.size() > kMaxLines)
    say("{}: and {} more {}; --report FILE lists all\n", device, items.size() - kMaxLines, more);
}

std::string shown_path(const std::string& path) {
  return path.empty() ? "(path unknown)" : printable(path);
}

Json loss_json(const Extent& loss) {
  return {{"offset", loss.offset}, {"length", loss.length}};
}

Json file_json(const ext2::AffectedFile& file) {
  Json lost = Json::array();
  for (const Extent& loss : file.lost) lost.push_back(loss_json(loss));
  Json json{{"inode", file.inode}, {"path", printable(file.path)}};
  json["lost"] = file.inode_is_lost ? "inode" : "blocks";
  json["lost-bytes"] = file.lost_bytes;
  json["areas"] = std::move(lost);
  return json;
}

std::optional<std::uint64_t> group_of(const ext2::Findings::Entry& entry,
                                      const ext2::Filesystem* filesystem) {
  if (filesystem == nullptr || filesystem->geometry.groups() == 0) return std::nullopt;
  if (entry.inode != 0) return (entry.inode - 1) / filesystem->geometry.inodes_per_group();
  return filesystem->geometry.group_of(entry.block);
}

Json finding_json(const ext2::Findings::Entry& entry, const work::Report& report,
                  const ext2::Filesystem* filesystem) {
  const auto text = finding_text(entry.finding);
  Json json{{"kind", text.name}, {"action", text.action}};
  if (const auto group = group_of(entry, filesystem)) json["group"] = *group;
  if (entry.inode != 0) json["inode"] = entry.inode;
  json["block"] = entry.block;
  const auto& named = report.names.others;
  const auto found =
      std::ranges::lower_bound(named, entry.inode, {}, [](const auto& name) { return name.first; });
  if (entry.inode != 0 && found != named.end() && found->first == entry.inode)
    json["path"] = printable(found->second);
  return json;
}

Json counts_json(const work::Report& report) {
  Json counts = Json::object();
  for (const auto& [finding, summary] : report.summary) counts[finding_text(finding).name] = summary.count;
  return counts;
}

}  // namespace

void print_report(const work::Report& report, const std::string& device) {
  const std::string name = printable(device);
  print_some(name, report.losses, "unreadable areas", [&](const Extent& loss) {
    say("{}: {} bytes at {} could not be read; they are zeros in the image\n", name, loss.length,
        loss.offset);
  });
  print_some(name, report.names.hit, "affected files", [&](const ext2::AffectedFile& file) {
    if (file.inode_is_lost)
      say("{}: {}: inode {} could not be read; its contents are unknown\n", name, shown_path(file.path),
          file.inode);
    else
      say("{}: {}: {} of inode {} could not be read\n", name, shown_path(file.path),
          human_size(file.lost_bytes), file.inode);
  });
  for (const auto& [finding, summary] : report.summary)
    say("{}: {}\n", name, work::text_of(finding, summary));
}

std::string report_text(const work::Report& report, const work::Device& device) {
  Json unreadable = Json::array();
  for (const Extent& loss : report.losses) unreadable.push_back(loss_json(loss));
  Json files = Json::array();
  for (const ext2::AffectedFile& file : report.names.hit) files.push_back(file_json(file));
  Json entries = Json::array();
  for (const auto& entry : report.findings)
    entries.push_back(finding_json(entry, report, device.filesystem()));
  const Json json{{"device", printable(device.name())},
                  {"unreadable", std::move(unreadable)},
                  {"files", std::move(files)},
                  {"counts", counts_json(report)},
                  {"findings", std::move(entries)}};
  return json.dump(2) + "\n";
}

}  // namespace e2qcow::cli
