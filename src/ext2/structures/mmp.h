// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>

#include "ext2/structures/filesystem.h"

namespace e2qcow::ext2 {

// What the block for multiple mount protection says of who has the file system.
struct MmpUser {
  bool is_checking = false;  // e2fsck is at it; else it is mounted
  std::string node;
  std::string device;  // its name on that node
};

// Absent where there is no such block, or it says that nobody has it. A node that crashed is still named.
// Source of the rules: <ext2fs/ext2_fs.h>, struct mmp_struct
std::optional<MmpUser> mmp_user(const Filesystem& filesystem);

}  // namespace e2qcow::ext2
