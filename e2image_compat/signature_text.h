// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace e2qcow::compat {

// What e2image says of a file in which it found no file system.
struct Contents {
  std::string file_system;      // a line, and one on its history; empty where there is none
  std::string partition_table;  // a line; empty where there is none
};

// Says nothing where nothing can be found out.
Contents describe_contents(const std::string& path);

}  // namespace e2qcow::compat
