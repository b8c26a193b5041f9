// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>
#include <system_error>

#include "base/file/output_file.h"
#include "base/file/posix_file.h"
#include "e2image_compat/complaint.h"

namespace e2qcow::compat {

enum class TargetKind {
  nothing,  // no file of that name exists yet
  file,
  block_device,
  null_device,
  character_device,
  pipe,
};
// Of a name; "-" is a pipe.
TargetKind target_kind(const std::string& name);
// A target that is written from beginning to end.
constexpr bool is_stream(TargetKind kind) {
  return kind == TargetKind::pipe || kind == TargetKind::null_device || kind == TargetKind::character_device;
}

// Calls `open()`. If the system refuses, throws a Complaint that `target` could not be opened.
template <typename Open>
auto open_target(const std::string& target, Open open) {
  try {
    return open();
  } catch (const std::system_error& error) {
    if (error.code().category() != std::generic_category()) throw;
    complain(error.code().value(), "while trying to open " + target);
  }
}
// An existing file or device, to be changed in place.
std::unique_ptr<PosixFile> open_in_place(const std::string& target, TargetKind kind);
// A new file, one that is replaced, or a device.
std::unique_ptr<OutputFile> open_output(const std::string& target);

// Throws a Complaint in e2image's words if no file can be large enough for a disk of that size at that
// offset.
void refuse_impossible_offset(std::uint64_t offset, std::uint64_t disk_size);

// Throws Errc::too_small if a disk of that size at that offset ends past the end of the device.
void refuse_small_device(const PosixFile& target, std::uint64_t offset, std::uint64_t disk_size);

}  // namespace e2qcow::compat
