// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "base/printable.h"
#include "cli/audit_text.h"
#include "cli/audit_words.h"

namespace e2qcow::cli {
namespace {

using Json = nlohmann::ordered_json;
using work::AuditArea;

// "attribute name" -> "attribute-name"
std::string key_of(ext2::TextKind kind) {
  std::string key(ext2::kind_name(kind));
  std::ranges::replace(key, ' ', '-');
  return key;
}

const char* area_name(AuditArea area) {
  switch (area) {
    case AuditArea::disk:
      return "disk";
    case AuditArea::image_file:
      return "image-file";
    case AuditArea::report:
      return "report";
  }
  return "";
}

Json finding_json(const work::AuditFinding& finding, bool with_device) {
  Json json{{"area", area_name(finding.area)}, {"offset", finding.offset},
            {"length", finding.length},        {"class", finding.block_class},
            {"kind", key_of(finding.kind)},    {"what", string_words(finding)}};
  if (finding.owner != 0) json["owner"] = finding.owner;
  if (finding.inode != 0) json["inode"] = finding.inode;
  if (!with_device) return json;
  json["form"] = finding.form == work::Form::utf16 ? "utf-16" : "text";
  json["compared"] = finding.is_in_place ? "in-place" : "everywhere";
  json["device-offset"] = finding.device_offset;
  return json;
}

Json strings_json(const work::StringCounts& strings) {
  Json kinds = Json::object();
  for (std::size_t i = 0; i < ext2::kTextKinds; ++i)
    kinds[key_of(static_cast<ext2::TextKind>(i))] = strings.kinds[i];
  return {{"total", strings.total},
          {"kinds", std::move(kinds)},
          {"everywhere", strings.everywhere},
          {"shortest-everywhere", strings.shortest},
          {"in-place", strings.in_place},
          {"at-offset", strings.at_offset},
          {"not-judged", strings.not_judged},
          {"chance-matches", strings.chance},
          {"expected-chance-matches", strings.expected_chance},
          {"known-words", strings.known_words},
          {"kept", strings.kept},
          {"fillers", strings.fillers}};
}

Json remaining_json(const work::RemainingText& remaining) {
  Json json = Json::object();
  for (std::size_t i = 0; i < ext2::kTextKinds; ++i) {
    const auto kind = static_cast<ext2::TextKind>(i);
    const auto& counts = remaining.counts(kind);
    json[key_of(kind)] = {{"known", counts.kept},
                          {"filler", counts.filler},
                          {"undecided", counts.undecided},
                          {"left", counts.left}};
  }
  return json;
}

}  // namespace

std::string audit_json(const work::AuditResult& result, const AuditNames& names) {
  Json json{{"image", printable(names.image)}, {"version", E2QCOW_VERSION}};
  json["image-size"] = result.image.bytes;
  json["image-sha256"] = fmt::format("{:02x}", fmt::join(result.image.sha256, ""));
  if (!result.image.filesystem_uuid.empty()) json["uuid"] = result.image.filesystem_uuid;
  if (result.image.key) json["anonymized-with"] = fmt::format("{:02x}", fmt::join(*result.image.key, ""));
  if (!names.device.empty()) json["device"] = printable(names.device);
  if (!names.report.empty()) json["report"] = printable(names.report);
  json["clean"] = !result.has_leaked() && result.is_conclusive();
  json["complete"] = result.is_whole;
  json["anonymized"] = result.is_marked;
  json["found"] = result.found;
  json["left"] = result.remaining.left();
  json["searched"] = {
      {"disk", result.disk_bytes}, {"image-file", result.file_bytes}, {"report", result.report_bytes}};
  if (result.strings) json["strings"] = strings_json(*result.strings);
  json["remaining"] = remaining_json(result.remaining);
  Json findings = Json::array();
  for (const auto& finding : result.findings) findings.push_back(finding_json(finding, result.found != 0));
  json["findings"] = std::move(findings);
  return json.dump(2) + "\n";
}

}  // namespace e2qcow::cli
