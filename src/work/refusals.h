// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "base/file/posix_file.h"
#include "base/storage.h"
#include "qcow2/read/reader.h"

namespace e2qcow::work {

// Refusals before anything is written or trusted. Each function throws the code that it names.

// Errc::ambiguous if the file, which looks like a qcow2 image, also looks like an ext file system.
void refuse_ambiguous(const ReadableFile& image);

// Errc::mounted if the part of the device, or something stored on it, is mounted read-write and would change
// while it is read; Errc::in_use if it is used as swap.
void refuse_mounted_source(const PosixFile& device, Extent part, const std::vector<StoredRange>& storage);

// Errc::in_use if the target, which need not exist, or the file behind a loop device is mounted or in use.
void refuse_mounted_target(const std::string& target);

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
// lost.
void refuse_metadata_only(const qcow2::Reader& image, const std::string& target);

}  // namespace e2qcow::work
