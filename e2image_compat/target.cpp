// SPDX-License-Identifier: GPL-2.0-or-later
#include "e2image_compat/target.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <cerrno>
#include <filesystem>

#include "ext2/mount.h"

namespace e2qcow::compat {

TargetKind target_kind(const std::string& name) {
  if (name == "-") return TargetKind::pipe;
  std::error_code error;
  switch (std::filesystem::status(name, error).type()) {
    case std::filesystem::file_type::not_found:
      return TargetKind::nothing;
    case std::filesystem::file_type::block:
      return TargetKind::block_device;
    case std::filesystem::file_type::character:
      return TargetKind::character_device;
    case std::filesystem::file_type::fifo:
      return TargetKind::pipe;
    default:
      return TargetKind::file;  // opening it says what is wrong with a directory
  }
}

std::unique_ptr<PosixFile> open_in_place(const std::string& target, TargetKind kind) {
  return open_target(target, [&] {
    return kind == TargetKind::block_device ? open_device_for_writing(target) : open_for_update(target);
  });
}

std::unique_ptr<OutputFile> open_output(const std::string& target) {
  if (std::filesystem::is_directory(target)) complain(EISDIR, "while trying to open " + target);
  return open_target(target, [&] { return std::make_unique<OutputFile>(target); });
}

void refuse_overlap(const std::string& target, Extent part, const std::vector<StoredRange>& source) {
  if (overlap(source, stored_ranges(target, part)))
    fail(Errc::refused, fmt::format("{}: lies where the source is", target));
}

void refuse_mounted_target(const std::string& target) {
  const auto refuse = [&](const std::string& name) {
    const ext2::MountState state = ext2::mount_state(name);
    if (state.mounted) fail(Errc::in_use, fmt::format("{}: is in use ({})", target, state.mount_point));
  };
  refuse(target);
  for (const StoredRange& stored : stored_ranges(target))
    if (!stored.name.empty()) refuse(stored.name);
}

}  // namespace e2qcow::compat
