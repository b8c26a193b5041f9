// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace e2qcow::work {

// A device and where it is mounted.
struct MountedDevice {
  std::string node;       // the very one that is mounted: only its cache has what the kernel has in memory
  std::string directory;  // of one of its mounts
};

// `path`: the device, a file that a loop device shows, or where it is mounted. Throws Errc::refused if it is
// not mounted, or only where this process cannot see it.
MountedDevice find_mounted(const std::string& path);

}  // namespace e2qcow::work
