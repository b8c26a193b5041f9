// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/audit_text.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ctime>

#include "cli/audit_words.h"
#include "cli/sizes.h"

namespace e2qcow::cli {
namespace {

using work::AuditResult;
using work::RemainingText;

constexpr std::size_t kMaxLines = 20;

std::string heading(const AuditResult& result, const AuditNames& names) {
  const work::AuditedFile& image = result.image;
  std::string text = fmt::format("Audit of {}, by e2qcow " E2QCOW_VERSION ", {:%Y-%m-%d %H:%M} UTC\n",
                                 printable(names.image), fmt::gmtime(std::time(nullptr)));
  text += fmt::format("  {} bytes, SHA-256 {:02x}\n", image.bytes, fmt::join(image.sha256, ""));
  if (!image.filesystem_uuid.empty()) text += fmt::format("  file system {}\n", image.filesystem_uuid);
  if (!names.device.empty()) text += fmt::format("  compared with {}\n", printable(names.device));
  if (result.is_marked) text += "  marked as anonymised";
  if (image.key) text += fmt::format(", with the key whose fingerprint is {:02x}", fmt::join(*image.key, ""));
  return text + (result.is_marked ? "\n\n" : "\n");
}

std::string collected(const work::StringCounts& strings) {
  std::string text = "Private strings on the device, in all copies of its structures and in its journal:\n";
  for (std::size_t i = 0; i < ext2::kTextKinds; ++i)
    if (strings.kinds[i] != 0)
      text +=
          fmt::format("  {:<24} {:>12}\n", ext2::kind_name(static_cast<ext2::TextKind>(i)), strings.kinds[i]);
  return text + fmt::format("  {:<24} {:>12}\n\n", "total", strings.total);
}

std::string searched(const AuditResult& result) {
  std::string text = "What was searched:\n";
  text += fmt::format("  {:<48} {:>12}\n", "data on the image's disk, decompressed",
                      human_size(result.disk_bytes));
  text += fmt::format("  {:<48} {:>12}\n", "rest of its file: header, record, tables,", "");
  text += fmt::format("  {:<48} {:>12}\n", "compressed data, free space", human_size(result.file_bytes));
  if (result.report_bytes != 0)
    text += fmt::format("  {:<48} {:>12}\n", "report", human_size(result.report_bytes));
  return text + "\n";
}

// A line, unless there is nothing to count.
std::string count_line(std::uint64_t count, const std::string& words) {
  return count == 0 ? "" : fmt::format("  {:>12}  {}\n", count, words);
}

std::string how(const work::StringCounts& strings) {
  std::string text = "How the strings were looked for:\n";
  text +=
      count_line(strings.everywhere,
                 fmt::format("everywhere, in any case of letters and as UTF-16 (the shortest has {} bytes)",
                             strings.shortest));
  text += count_line(strings.in_place,
                     "too short for that, because random names may be the same: compared\n"
                     "                with all whole names, targets and attributes in the same\n"
                     "                directory, link, file or block");
  text += count_line(strings.at_offset,
                     "the same, but compared with the name at the same offset, because the\n"
                     "                directory has too many short names");
  text += count_line(strings.not_judged,
                     fmt::format("not looked for: so short, and so many in one place, that a match says\n"
                                 "                nothing ({} matches, {:.1f} expected by chance)",
                                 strings.chance, strings.expected_chance));
  text +=
      count_line(strings.known_words, "parts of words that images have anyway: only compared in their place");
  text += count_line(
      strings.kept,
      "not private, kept in every dump: \".\", \"..\", lost+found, selinux, ext4_... and the like");
  text += count_line(strings.fillers, "only of \"x\" and \"/\", which no one can tell from filler");
  return text + fmt::format(
                    "If all names in the image are random, the audit finds something by chance in at most\n"
                    "{:.0f} of 1000 cases.\n\n",
                    3 * 1000 * work::kAcceptedChance);
}

std::string remaining(const AuditResult& result) {
  if (!result.has_filesystem)
    return "There is no ext2/3/4 file system in the image to look at in detail.\n\n";
  std::string text = "Text in the structures of the image:\n";
  text += fmt::format("  {:<24} {:>11} {:>11} {:>11} {:>11}\n", "", "known", "filler", "random?", "left");
  for (std::size_t i = 0; i < ext2::kTextKinds; ++i) {
    const auto kind = static_cast<ext2::TextKind>(i);
    const RemainingText::Counts& counts = result.remaining.counts(kind);
    if (counts.total() != 0)
      text += fmt::format("  {:<24} {:>11} {:>11} {:>11} {:>11}\n", ext2::kind_name(kind), counts.kept,
                          counts.filler, counts.undecided, counts.left);
  }
  return text +
         "  known: words that every dump keeps; filler: zeros or \"x\"; random?: cannot be told from\n"
         "  random names without the device; left: an anonymised dump has nothing there\n\n";
}

// Nothing was found.
std::string good_verdict(const AuditResult& result) {
  std::string text = "Result: no text is left in places that an anonymised dump empties";
  if (!result.strings)
    text += ".\nWhether names are random can be seen only with the device.\n";
  else if (result.strings->not_judged == 0)
    text += ", and none of the private\nstrings was found.\n";
  else
    text += fmt::format(
        ", and none of the {} private\nstrings that could be looked for was found; {} could not.\n",
        result.strings->total - result.strings->not_judged, result.strings->not_judged);
  if (!result.is_whole) text += "NOT PROVEN: not everything could be read.\n";
  if (!result.has_filesystem) text += "NOT PROVEN: there is no file system in the image.\n";
  if (!result.strings && !result.is_marked)
    text += "NOT PROVEN: the image is not marked as anonymised, so its names may be the real ones.\n";
  return text;
}

std::string verdict(const AuditResult& result) {
  if (!result.has_leaked()) return good_verdict(result);
  std::string text;
  if (result.found != 0)
    text += fmt::format("Result: FOUND. Private strings of the device are in {} places:\n", result.found);
  else
    text += fmt::format("Result: FOUND. Text is left in {} places:\n", result.remaining.left());
  const std::size_t lines = std::min(kMaxLines, result.findings.size());
  for (std::size_t i = 0; i < lines; ++i)
    text += "  " + finding_line(result.findings[i], result.found != 0) + "\n";
  const std::uint64_t all = result.found != 0 ? result.found : result.remaining.left();
  if (all > lines) text += fmt::format("  and {} more\n", all - lines);
  if (result.found != 0 && result.remaining.left() != 0)
    text += fmt::format("Other text is left in {} places.\n", result.remaining.left());
  return text;
}

}  // namespace

std::string audit_text(const AuditResult& result, const AuditNames& names) {
  std::string text = heading(result, names);
  if (result.strings) text += collected(*result.strings);
  if (result.strings) text += searched(result) + how(*result.strings);
  return text + remaining(result) + verdict(result);
}

}  // namespace e2qcow::cli
