#pragma once

#include <optional>
#include <string>

namespace e2qcow::ext2 {

struct MountState {
  bool read_write = false;
  bool in_use = false;      // by something else: swap, another device
  std::string mount_point;  // may be empty
};

// Whether the device, or the file by way of a loop device, is mounted or in use.
std::optional<MountState> mount_state(const std::string& device);

}  // namespace e2qcow::ext2
