// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>
#include <sys/types.h>

#include <string>
#include <vector>

struct stat;

namespace e2qcow {

// A range of bytes of a file or a whole disk, with all layers resolved: a partition is a range of its disk, a
// loop device a range of its file, and a mapped device (LVM, RAID) is all the devices it is made of. So two
// names of one range are recognised as the same. The ranges of a mapped device on its devices are not known;
// but two mapped devices never overlap unless one is made of the other.
struct StoredRange {
  bool is_file = false;
  dev_t device = 0;                // the disk, or the device that the file's inode is on
  ino_t inode = 0;                 // of a file
  Extent range;                    // of the file or disk
  std::string name{};              // of a loop device's file; else empty
  std::vector<dev_t> mapped_by{};  // the mapped devices that were resolved, the requested one first
};

inline constexpr Extent kWhole{0, ~0ULL};

// Where a part of an existing file or block device is stored; empty for anything else.
std::vector<StoredRange> stored_ranges(const struct stat& status, Extent part = kWhole);
std::vector<StoredRange> stored_ranges(const std::string& path, Extent part = kWhole);
// Of an open one.
std::vector<StoredRange> stored_ranges(int fd, Extent part = kWhole);

// Where a block device is stored.
std::vector<StoredRange> ranges_of_device(dev_t device);

// Where the file system is stored that holds `path`, or would if it is created; symbolic links are followed.
std::vector<StoredRange> ranges_under(const std::string& path);
// The same for an open file.
std::vector<StoredRange> ranges_under(int fd);

bool overlap(const std::vector<StoredRange>& a, const std::vector<StoredRange>& b);

// The target of a name after all symbolic links; it need not exist.
std::string without_links(std::string path);

// Whether both names refer to one directory entry, which need not exist.
bool is_same_name(const std::string& a, const std::string& b);

}  // namespace e2qcow
