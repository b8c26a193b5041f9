// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace e2qcow::ext2 {

struct MountState {
  bool mounted = false;  // or in use
  bool read_write = false;
  bool in_use = false;      // by something else: swap, another device
  std::string mount_point;  // may be empty
};

// Whether the device is mounted or in use, or the file through a loop device. Throws Errc::unknown_mounts if
// that cannot be determined.
MountState mount_state(const std::string& device);

}  // namespace e2qcow::ext2
