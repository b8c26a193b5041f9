// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace e2qcow {

// Whether who writes to a file has to wait while a file system is frozen: it is in that file system (whose
// st_dev is given), or in one that is stored there, by loop devices, mapped devices or as the upper layer of
// an overlay, through however many of them. `path` need not exist; a block device counts as what it is stored
// on.
bool depends_on(const std::string& path, dev_t frozen);

// What this process has open for writing and depends on the file system: as "/mnt/log (descriptor 2)".
std::vector<std::string> open_files_on(dev_t frozen);

// The files in use as swap that depend on it.
std::vector<std::string> swap_files_on(dev_t frozen);

}  // namespace e2qcow
