// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "base/file/direct_file.h"
#include "base/file/posix_file.h"
#include "base/storage.h"

namespace e2qcow {

// A mounted file system.
struct Mount {
  dev_t device = 0;
  std::string node;       // the name of the device
  std::string directory;  // on which it is mounted; empty: in another mount namespace
  bool read_write = false;
  std::string type{};     // of file system; empty: not known
  std::string options{};  // of the file system, as "rw,upperdir=/upper,workdir=/work"
};

// All that can be seen from here, in the order in which they were mounted.
std::vector<Mount> visible_mounts();

// The mounted file systems that are stored in any of the ranges. Those of ext2/3/4 in another mount namespace
// (a container) are among them. Source of the fields: proc(5), /proc/PID/mountinfo; the kernel's
// Documentation/filesystems/ext4.rst, /proc/fs/ext4
std::vector<Mount> mounts_on(const std::vector<StoredRange>& ranges);

// The node of the device whose file system is mounted on a directory. Throws Errc::refused for a directory on
// which none is mounted.
std::string device_mounted_on(const std::string& directory);

// The loop device that shows a file; empty if there is none.
std::string loop_device_of(const std::string& file);

// Whether another program, or a mount that mounts_on() cannot see, has the block device for itself. False for
// a device with partitions, and for one that is part of another (LVM, RAID).
bool is_claimed(const PosixFile& device);

// A block device that is mounted, or of which a part is, as it is on the disk; null for anything else.
// Mounted file systems write the contents of files past the cache of their device, which keeps what was read
// before.
std::unique_ptr<DirectFile> past_stale_cache(const ReadableFile& device);

// Whether this kernel has the targets of long links of mounted file systems in the cache of their device, as
// it has all other metadata of ext4 (Linux 5.19).
bool are_links_cached();

}  // namespace e2qcow
