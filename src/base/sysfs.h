// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/sysmacros.h>
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace e2qcow {

// The number in a file of sysfs; 0 if there is none.
inline std::uint64_t number_in(const std::filesystem::path& path) {
  std::uint64_t number = 0;
  std::ifstream(path) >> number;
  return number;
}

// The device number in a file of sysfs, as "8:1"; 0 if there is none.
inline dev_t device_in(const std::filesystem::path& path) {
  unsigned major = 0;
  unsigned minor = 0;
  char colon = 0;
  std::ifstream(path) >> major >> colon >> minor;
  return ::makedev(major, minor);
}

// The directory of a block device.
inline std::filesystem::path sysfs_of(dev_t device) {
  return "/sys/dev/block/" + std::to_string(::major(device)) + ":" + std::to_string(::minor(device));
}

}  // namespace e2qcow
