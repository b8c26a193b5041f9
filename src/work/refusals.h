// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/file/posix_file.h"
#include "base/storage.h"
#include "work/image.h"

namespace e2qcow::work {

// Refusals before anything is written or trusted. Each function throws the code that it names.

// Errc::ambiguous if the file, which looks like a qcow2 image, also looks like an ext file system.
void refuse_ambiguous(const ReadableFile& image);

// How the part of a device that is stored in `storage`, or something stored on it, changes while it is read;
// absent if it does not. If `is_current`, the device itself is mounted, and what is read is as new as can be.
// Otherwise it is another one with the same contents, and changes are not seen here for as long as it pleases
// the kernel.
struct SourceUse {
  std::string text;
  bool is_current;
};
// Throws Errc::in_use if the device is used as swap.
std::optional<SourceUse> use_of_source(const PosixFile& device, const std::vector<StoredRange>& storage);

// Errc::in_use if the target, which need not exist, or the file behind a loop device is mounted or in use.
void refuse_mounted_target(const std::string& target);

// Errc::in_use if the target is a file that a loop device shows: a new file of that name would not be seen
// there.
void refuse_replacing_shown(const std::string& target);

// Errc::refused if what is written for a file system and for its journal would be the same file or device.
void refuse_same_target(const std::string& disk, const std::string& journal);

// Errc::has_partitions if the device has a partition table.
void refuse_partitions(const ReadableFile& target);

// A file or device with the ranges where it is stored.
struct Stored {
  std::string name;
  std::vector<StoredRange> ranges;
};
// By name; "-" is standard input.
Stored stored_input(const std::string& path);
// "-" is standard output.
Stored stored_output(const std::string& path);

// Errc::overwrites_input if any part of the output is stored on the input.
void refuse_overwriting(const Stored& output, const Stored& input);
// The same, and if the output would be created in a file system that is the input.
void refuse_output_on_input(const std::string& output, const Stored& input);

// Errc::metadata_only if the image is, or may be, a metadata-only dump: file contents on the target would be
// lost. It, or an image under it, says so itself; or none says anything, and its file system has far more in
// files than is stored, or there is neither a file system nor much data.
void refuse_metadata_only(const Image& image, const std::string& target);

}  // namespace e2qcow::work
