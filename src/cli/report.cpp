// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/capture_text.h"
#include "cli/message.h"
#include "cli/sizes.h"

namespace e2qcow::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxFindings = 5;  // of each kind

// Prints the first lines, and how many more there are.
template <typename Items, typename Print>
void print_some(const std::string& device, const Items& items, const std::string& more, Print print) {
  for (std::size_t i = 0; i < std::min(items.size(), kMaxFindings); ++i) print(items[i]);
  if (items.size() > kMaxFindings) say("{}: and {} more {}\n", device, items.size() - kMaxFindings, more);
}

std::string shown_path(const std::string& path) {
  return path.empty() ? "(path unknown)" : printable(path);
}

// `begin` is that of the file system on the device.
Json losses_json(const std::vector<Extent>& losses, std::uint64_t begin) {
  Json json = Json::array();
  for (const Extent& loss : losses)
    json.push_back(
        {{"offset", begin + loss.offset}, {"length", loss.length}, {"offset-in-file-system", loss.offset}});
  return json;
}

std::string offset_text(std::uint64_t offset, std::uint64_t begin) {
  return begin == 0 ? std::to_string(offset)
                    : fmt::format("{} ({} in the file system)", begin + offset, offset);
}

Json file_json(const ext2::AffectedFile& file, std::uint64_t begin) {
  Json json{{"inode", file.inode}, {"path", printable(file.path)}};
  json["lost"] = file.inode_is_lost ? "inode" : "blocks";
  json["lost-bytes"] = file.lost_bytes;
  json["areas"] = losses_json(file.lost, begin);
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

Json whole_json(const work::Report& report, CaptureState capture, const std::string& device, Json files,
                Json findings) {
  return {{"device", device},
          {"offset", report.begin},
          {"capture", capture_name(capture)},
          {"unreadable", losses_json(report.losses, report.begin)},
          {"files", std::move(files)},
          {"counts", counts_json(report)},
          {"findings", std::move(findings)}};
}

// What was done, by class of blocks.
Json tallies_json(const work::AnonymizedDump& anonymized) {
  Json classes = Json::object();
  const auto tallies = anonymized.tallies();
  for (std::size_t i = 0; i < tallies.size(); ++i) {
    const ext2::Tally& tally = tallies[i];
    if (tally.replaced + tally.not_placed + tally.not_parsed == 0) continue;
    classes[std::string(class_name(static_cast<BlockClass>(i)))] = {
        {"replaced", tally.replaced}, {"not-placed", tally.not_placed}, {"not-parsed", tally.not_parsed}};
  }
  return {{"classes", std::move(classes)}, {"blocks-with-several-uses", anonymized.anonymizer().conflicts()}};
}

std::string anonymized_text(const work::Report& report, CaptureState capture, const work::Device& device,
                            const work::AnonymizedDump& anonymized) {
  Json files = Json::array();
  for (ext2::AffectedFile file : report.names.hit) {
    file.path.clear();
    files.push_back(file_json(file, report.begin));
  }
  work::Report without_names = report;
  without_names.names = {};
  Json entries = Json::array();
  for (const auto& entry : report.findings) {
    Json finding = finding_json(entry, without_names, device.filesystem());
    if (entry.finding == Finding::block_out_of_range)
      for (const char* key : {"block", "group"}) finding.erase(key);  // a piece of text, it may be
    entries.push_back(std::move(finding));
  }
  Json json = whole_json(report, capture, "", std::move(files), std::move(entries));
  json["anonymized"] = tallies_json(anonymized);
  return json.dump(2) + "\n";
}

}  // namespace

void print_report(const work::Report& report, const std::string& device, const ReportWords& words) {
  const std::string name = printable(device);
  print_some(name, report.losses, std::string("unreadable areas") + words.more, [&](const Extent& loss) {
    say("{}: {} bytes at {} could not be read{}\n", name, loss.length, offset_text(loss.offset, report.begin),
        words.fate);
  });
  print_some(name, report.names.hit, std::string("affected files") + words.more,
             [&](const ext2::AffectedFile& file) {
               if (file.inode_is_lost)
                 say("{}: {}: inode {} could not be read; its contents are unknown\n", name,
                     shown_path(file.path), file.inode);
               else
                 say("{}: {}: {} of inode {} could not be read\n", name, shown_path(file.path),
                     human_size(file.lost_bytes), file.inode);
             });
  for (const auto& [finding, summary] : report.summary)
    say("{}: {}\n", name, work::text_of(finding, summary));
}

std::string report_text(const work::Report& report, CaptureState capture, const work::Device& device,
                        const work::AnonymizedDump* anonymized) {
  if (anonymized != nullptr) return anonymized_text(report, capture, device, *anonymized);
  Json files = Json::array();
  for (const ext2::AffectedFile& file : report.names.hit) files.push_back(file_json(file, report.begin));
  Json entries = Json::array();
  for (const auto& entry : report.findings)
    entries.push_back(finding_json(entry, report, device.filesystem()));
  return whole_json(report, capture, printable(device.name()), std::move(files), std::move(entries)).dump(2) +
         "\n";
}

}  // namespace e2qcow::cli
