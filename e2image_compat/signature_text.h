// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace e2qcow::compat {

// The description that e2image prints of a file without a file system.
struct Contents {
  std::string file_system;      // a line, and one on its history; empty where there is none
  std::string partition_table;  // a line; empty if there is none
};

// Empty if nothing can be determined.
Contents describe_contents(const std::string& path);

}  // namespace e2qcow::compat
