// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/live/mounted_device.h"

#include <e2qcow/error.h>

#include <algorithm>
#include <filesystem>

#include "base/mounts.h"
#include "base/storage.h"

namespace e2qcow::work {

MountedDevice find_mounted(const std::string& path) {
  std::error_code none;
  if (std::filesystem::is_directory(path, none)) return {device_mounted_on(path), path};
  const auto mounts = mounts_on(stored_ranges(path));
  if (mounts.empty()) fail(Errc::refused, path + ": is not mounted, and can be dumped as it is");
  const auto visible =
      std::ranges::find_if(mounts, [](const Mount& mount) { return !mount.directory.empty(); });
  if (visible == mounts.end())
    fail(Errc::refused, path + ": is mounted in another mount namespace only; run this there");
  return {device_mounted_on(visible->directory), visible->directory};
}

}  // namespace e2qcow::work
