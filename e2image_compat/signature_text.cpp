// SPDX-License-Identifier: GPL-2.0-or-later
#include "e2image_compat/signature_text.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <ctime>

#include "base/signatures.h"
#include "ext2/structures/superblock.h"
#include "ext2/structures/text_field.h"

namespace e2qcow::compat {
namespace {

std::string time_text(std::uint32_t seconds) {
  const std::time_t time = seconds;
  char text[32]{};
  return ::ctime_r(&time, text) == nullptr ? "" : text;  // with its newline
}

std::string history(const PosixFile& file) {
  const auto superblock = ext2::read_superblock(file, ext2::kSuperblockOffset);
  if (!superblock) return "";
  const ext2_super_block& raw = superblock->raw;
  const std::string directory = ext2::field_text(raw.s_last_mounted);
  if (raw.s_mtime != 0 && !directory.empty())
    return fmt::format("\tlast mounted on {} on {}", directory, time_text(raw.s_mtime));
  if (raw.s_mtime != 0) return "\tlast mounted on " + time_text(raw.s_mtime);
  if (raw.s_mkfs_time != 0) return "\tcreated on " + time_text(raw.s_mkfs_time);
  return raw.s_wtime == 0 ? "" : "\tlast modified on " + time_text(raw.s_wtime);
}

}  // namespace

Contents describe_contents(const std::string& path) {
  Contents contents;
  try {
    const auto file = open_for_reading(path);
    const Signature found = find_signature(*file);
    if (!found.file_system.empty()) {
      const std::string label = found.label.empty() ? "" : fmt::format(" labelled '{}'", found.label);
      contents.file_system = fmt::format("{} contains a {} file system{}\n", path, found.file_system, label);
      if (found.file_system.starts_with("ext")) contents.file_system += history(*file);
    } else if (!found.partition_table.empty()) {
      contents.partition_table =
          fmt::format("Found a {} partition table in {}\n", found.partition_table, path);
    }
  } catch (const std::system_error&) {
    return {};
  }
  return contents;
}

}  // namespace e2qcow::compat
