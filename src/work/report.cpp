// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/report.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <unordered_set>

namespace e2qcow::work {
namespace {

using Inodes = std::unordered_set<std::uint64_t>;

Inodes inodes_of(const std::vector<ext2::Findings::Entry>& findings) {
  Inodes inodes;
  for (const ext2::Findings::Entry& entry : findings)
    if (entry.inode != 0) inodes.insert(entry.inode);
  return inodes;
}

ext2::FileNames find_names(const Device& device, const Survey& survey, const Report& report,
                           const Inodes& inodes, const Notice& notice) {
  try {
    const auto& owners = survey.selected.owners;
    return ext2::find_file_names(*device.filesystem(), owners ? &*owners : nullptr, report.losses, inodes);
  } catch (const std::system_error& error) {
    if (error.code() == Errc::interrupted) throw;
    notice(fmt::format("{}: the affected files could not be determined", error.what()));
    return {};
  }
}

}  // namespace

Report make_report(const Device& device, const Survey& survey, Paths paths, const Notice& notice) {
  const ext2::Findings& findings = *survey.findings;
  Report report{device.part().offset, device.file().losses(), findings.summary(), findings.entries(), {}};
  const Inodes inodes = paths == Paths::of_findings_too ? inodes_of(report.findings) : Inodes();
  const bool has_names = !report.losses.empty() || !inodes.empty();
  if (device.filesystem() != nullptr && has_names)
    report.names = find_names(device, survey, report, inodes, notice);
  return report;
}

std::string text_of(Finding finding, const ext2::Findings::Summary& summary) {
  const auto& [count, first] = summary;
  const std::string inode = first.inode == 0 ? "" : fmt::format("inode {}, ", first.inode);
  const std::string more = count <= 1 ? "" : fmt::format(" (and {} more)", count - 1);
  if (first.inode == 0 && first.block == 0) return std::string(finding_text(finding).text) + more;
  return fmt::format("{}: {}block {}{}", finding_text(finding).text, inode, first.block, more);
}

}  // namespace e2qcow::work
