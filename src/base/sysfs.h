// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>

namespace e2qcow {

// The number in a file of sysfs; 0 if there is none.
inline std::uint64_t number_in(const std::filesystem::path& path) {
  std::uint64_t number = 0;
  std::ifstream(path) >> number;
  return number;
}

}  // namespace e2qcow
