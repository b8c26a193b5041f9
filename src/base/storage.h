// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>
#include <sys/types.h>

#include <string>
#include <vector>

struct stat;

namespace e2qcow {

// A range of bytes of a file or a whole disk, in the end: partitions are ranges of their disk, loop devices
// of their file, and mapped devices (LVM, RAID) of all the devices they are made of. So two names of one
// place are known to be the same. Where on those devices a mapped one is, is not known; but two of them, none
// of which is made of the other, do not share a place.
struct StoredRange {
  bool is_file = false;
  dev_t device = 0;                // the disk, or the device that the file's inode is on
  ino_t inode = 0;                 // of a file
  Extent range;                    // of the file or disk
  std::string name{};              // of a loop device's file; else empty
  std::vector<dev_t> mapped_by{};  // the mapped devices on the way, the one that was asked for first
};

inline constexpr Extent kWhole{0, ~0ULL};

// Where a part of an existing file or block device is stored; none of anything else.
std::vector<StoredRange> stored_ranges(const struct stat& status, Extent part = kWhole);
std::vector<StoredRange> stored_ranges(const std::string& path, Extent part = kWhole);
// Of an open one.
std::vector<StoredRange> stored_ranges(int fd, Extent part = kWhole);

// Where the file system is stored on which `path` is, or would be created; links in it are followed.
std::vector<StoredRange> ranges_under(const std::string& path);
// The same for an open file.
std::vector<StoredRange> ranges_under(int fd);

bool overlap(const std::vector<StoredRange>& a, const std::vector<StoredRange>& b);

// What a name leads to by symbolic links; that need not exist.
std::string without_links(std::string path);

// Whether both are names of one directory entry, which need not exist.
bool is_same_name(const std::string& a, const std::string& b);

}  // namespace e2qcow
