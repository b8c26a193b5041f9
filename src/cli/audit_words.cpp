// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/audit_words.h"

#include <fmt/format.h>

namespace e2qcow::cli {
namespace {

using ext2::TextKind;
using work::AuditArea;
using work::AuditFinding;

std::string name_words(const AuditFinding& finding) {
  const std::string of = finding.inode != 0 ? fmt::format(" of inode {}", finding.inode) : "";
  const std::string in = finding.owner != 0 ? fmt::format(" in directory {}", finding.owner) : "";
  return std::string(ext2::kind_name(finding.kind)) + of + in;
}

}  // namespace

std::string string_words(const AuditFinding& finding) {
  switch (finding.kind) {
    case TextKind::name:
    case TextKind::deleted_name:
      return name_words(finding);
    case TextKind::journal_text:
      return "text in the journal";
    case TextKind::other_contents:
      return "contents of a file, or of a block that nothing uses";
    default:
      break;
  }
  const std::string of = finding.owner != 0 ? fmt::format(" of inode {}", finding.owner) : "";
  return std::string(ext2::kind_name(finding.kind)) + of;
}

std::string place_words(const AuditFinding& finding) {
  switch (finding.area) {
    case AuditArea::disk:
      return fmt::format("offset {} of the image's disk{}", finding.offset,
                         finding.block_class.empty() ? "" : " (" + finding.block_class + ")");
    case AuditArea::image_file:
      return fmt::format("offset {} of the image file", finding.offset);
    case AuditArea::report:
      return fmt::format("offset {} of the report", finding.offset);
  }
  return "";
}

std::string finding_line(const AuditFinding& finding, bool with_device) {
  if (!with_device)
    return fmt::format("{}: {}, {} bytes", place_words(finding), string_words(finding), finding.length);
  return fmt::format("{}: {}{}, which is at {} on the device", place_words(finding), string_words(finding),
                     finding.form == work::Form::utf16 ? ", as UTF-16" : "", finding.device_offset);
}

}  // namespace e2qcow::cli
