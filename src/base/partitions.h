// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/file/posix_file.h"

namespace e2qcow {

struct Partition {
  int number;
  Extent range;  // bytes of the disk; may run past its end
  int type;      // of an MBR
};

// A partition table (MBR with logical partitions, GPT and others that libblkid knows).
struct PartitionTable {
  std::string type{};  // as libblkid calls it
  std::uint32_t sector_size = 0;
  std::vector<Partition> partitions{};
};

// The tables of a disk: one for each sector size with which there is one. Tables count in sectors, and the
// image of a disk does not say how large its sectors are; a device says so, but may be a loop device of an
// image. The most likely one comes first. A disk that was cut short still has them.
std::vector<PartitionTable> partition_tables(const ReadableFile& disk,
                                             std::optional<std::uint32_t> sector_size = std::nullopt);

// The range of partition `number`. If it depends on the sector size, the first that `is_right` decides, else
// the most likely one. Throws Errc::refused if there is no such partition, or the chain of logical partitions
// ends before it.
Extent find_partition(const ReadableFile& disk, int number, std::optional<std::uint32_t> sector_size,
                      const std::function<bool(Extent)>& is_right);

// What has to be read of a disk to find its partitions again: its front, its end and the links of logical
// partitions. Ascending, not touching.
std::vector<Extent> partition_table_areas(const ReadableFile& disk);

// The devices of those partitions of a disk that overlap the range, as the kernel knows them; none for a
// file.
std::vector<std::string> partitions_in(const PosixFile& disk, Extent range);

// The block device whose contents have this UUID; empty if there is none.
std::string device_with_uuid(const std::string& uuid);

}  // namespace e2qcow
