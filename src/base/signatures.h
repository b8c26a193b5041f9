// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>

#include <string>
#include <vector>

#include "base/file/posix_file.h"

namespace e2qcow {

// The ranges of a part of a disk that identify its contents: its beginning and end, and the surroundings of
// the signatures that libblkid finds. Offsets in the part; ascending, not touching.
std::vector<Extent> recognised_areas(const ReadableFile& disk, Extent part);

// What libblkid recognises on a disk; empty if nothing.
struct Signature {
  std::string file_system;  // its type
  std::string label;        // of the file system
  std::string partition_table;
};
Signature find_signature(const PosixFile& disk);

// What a file is instead of what was expected, in words and with what to do about it: "it is gzip-compressed;
// unpack it first (gzip -d)". By the signature alone; nothing else is parsed. Empty if it is not recognised.
std::string describe_contents(const ReadableFile& file);
std::string describe_contents(const ReadableFile& disk, Extent part);
// The same of a part of a disk; ext2/3/4 file systems do not count.
std::string describe_other_contents(const ReadableFile& disk, Extent part);

}  // namespace e2qcow
