#pragma once

#include <e2qcow/extent.h>

#include <string>
#include <vector>

#include "base/posix_file.h"

namespace e2qcow {

// Two names of one file or device.
bool is_same_file(const std::string& a, const std::string& b);

// True when `path`, which need not exist yet, is or would be stored on `device`: on a file system that is on
// it, on a partition of it, or on a loop device made of it.
bool is_stored_on(const std::string& path, const PosixFile& device);

// Partition `number` of a disk or disk image (MBR with logical partitions, GPT and what else libblkid knows).
// Throws where there is no such partition.
Extent find_partition(const PosixFile& disk, int number);

// The devices of those partitions of a disk, as the kernel knows them, that overlap the range; none of a
// file.
std::vector<std::string> partitions_in(const PosixFile& disk, Extent range);

}  // namespace e2qcow
