// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>

#include <string>
#include <vector>

#include "base/file/posix_file.h"

namespace e2qcow {

// Partition `number` of a disk or disk image (MBR with logical partitions, GPT and others that libblkid
// knows). Throws if there is no such partition.
Extent find_partition(const PosixFile& disk, int number);

bool has_partitions(const PosixFile& disk);

// The ranges of a part of a disk that identify its contents: its beginning and end, and the surroundings of
// the signatures that libblkid finds. Offsets in the part; ascending, not touching.
std::vector<Extent> recognised_areas(const PosixFile& disk, Extent part);

// What libblkid recognises on a disk; empty if nothing.
struct Signature {
  std::string file_system;  // its type
  std::string label;        // of the file system
  std::string partition_table;
};
Signature find_signature(const PosixFile& disk);

// The devices of those partitions of a disk that overlap the range, as the kernel knows them; none for a
// file.
std::vector<std::string> partitions_in(const PosixFile& disk, Extent range);

}  // namespace e2qcow
