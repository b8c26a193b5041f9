// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/seeing_programs.h"

#include <fstream>
#include <iterator>
#include <string>

namespace e2qcow::plugin {
namespace {

bool contains(const std::string& path, const std::string& text) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {}).find(text) != std::string::npos;
}

}  // namespace

// Our library brings libext2fs with it; a program that uses it itself has its name in the file.
bool sees_disks(int process) {
  const std::string directory = "/proc/" + std::to_string(process);
  return contains(directory + "/maps", "/libe2qcow-preload.so") &&
         contains(directory + "/exe", "libext2fs.so");
}

}  // namespace e2qcow::plugin
