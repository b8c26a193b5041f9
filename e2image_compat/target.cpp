// SPDX-License-Identifier: GPL-2.0-or-later
#include "e2image_compat/target.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <limits>

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
      return std::filesystem::canonical(name, error) == "/dev/null" ? TargetKind::null_device
                                                                    : TargetKind::character_device;
    case std::filesystem::file_type::fifo:
      return TargetKind::pipe;
    default:
      return TargetKind::file;  // opening a directory reports the error
  }
}

std::unique_ptr<PosixFile> open_in_place(const std::string& target, TargetKind kind) {
  return open_target(target, [&] {
    return kind == TargetKind::block_device ? open_device_for_writing(target) : open_for_update(target);
  });
}

std::unique_ptr<OutputFile> open_output(const std::string& target) {
  std::error_code error;
  if (target.empty()) complain(ENOENT, "while trying to open " + target);
  if (std::filesystem::is_directory(target, error)) complain(EISDIR, "while trying to open " + target);
  return open_target(target, [&] { return std::make_unique<OutputFile>(target); });
}

void refuse_impossible_offset(std::uint64_t offset, std::uint64_t disk_size) {
  constexpr std::uint64_t kEnd = std::numeric_limits<std::int64_t>::max();
  if (offset > kEnd || disk_size > kEnd - offset) throw Complaint("seek_set: Invalid argument\n");
}

void refuse_small_device(const PosixFile& target, std::uint64_t offset, std::uint64_t disk_size) {
  const std::uint64_t needed = offset + disk_size;
  if (target.is_block_device() && needed > target.size())
    fail(Errc::too_small,
         fmt::format("{}: too small: it has {} bytes, {} are needed", target.name(), target.size(), needed));
}

}  // namespace e2qcow::compat
