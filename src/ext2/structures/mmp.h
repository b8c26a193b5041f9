// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>

#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// Who uses the file system, according to its block for multiple mount protection.
struct MmpUser {
  bool is_checking = false;  // by e2fsck; otherwise it is mounted
  std::string node;
  std::string device;  // its name on that node
};

// Absent if there is no such block, or the file system is not in use. A node that crashed is still named.
// Source of the rules: <ext2fs/ext2_fs.h>, struct mmp_struct
std::optional<MmpUser> mmp_user(const Filesystem& filesystem);

}  // namespace e2qcow::ext2
