#include "ext2/mount.h"

#include <ext2fs/ext2fs.h>

#include <array>

namespace e2qcow::ext2 {

std::optional<MountState> mount_state(const std::string& device) {
  int flags = 0;
  std::array<char, 4096> mount_point{};
  if (ext2fs_check_mount_point(device.c_str(), &flags, mount_point.data(), mount_point.size()) != 0)
    return std::nullopt;
  if ((flags & (EXT2_MF_MOUNTED | EXT2_MF_SWAP)) == 0) return std::nullopt;
  MountState state;
  state.in_use = (flags & EXT2_MF_SWAP) != 0;
  state.read_write = (flags & EXT2_MF_READONLY) == 0;
  state.mount_point = mount_point.data();
  return state;
}

}  // namespace e2qcow::ext2
