// SPDX-License-Identifier: GPL-2.0-or-later
#include "ext2/structures/mount.h"

#include <e2qcow/error.h>
#include <ext2fs/ext2fs.h>
#include <fmt/format.h>

#include <array>
#include <cerrno>

extern "C" {
#include <et/com_err.h>
}

namespace e2qcow::ext2 {

MountState mount_state(const std::string& device) {
  int flags = 0;
  std::array<char, 4096> mount_point{};
  const errcode_t error =
      ext2fs_check_mount_point(device.c_str(), &flags, mount_point.data(), mount_point.size());
  if (error == EXT2_ET_NO_MTAB_FILE)
    fail(
        Errc::unknown_mounts,
        device + ": cannot determine whether it is mounted, because /proc is not (mount -t proc proc /proc)");
  if (error != 0 && error != ENOENT) {
    ::initialize_ext2_error_table();
    fail(Errc::unknown_mounts,
         fmt::format("{}: cannot determine whether it is mounted ({})", device, ::error_message(error)));
  }
  MountState state;
  state.mounted = (flags & (EXT2_MF_MOUNTED | EXT2_MF_SWAP)) != 0;
  state.in_use = (flags & EXT2_MF_SWAP) != 0;
  state.read_write = state.mounted && (flags & EXT2_MF_READONLY) == 0;
  state.mount_point = mount_point.data();
  return state;
}

}  // namespace e2qcow::ext2
