// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>

#include "base/file/posix_file.h"

namespace e2qcow {

// An unnamed copy of a file, beside it, that shares all its blocks; null if the file system cannot do that.
// What the file's programs have written is in it, synced or not.
std::unique_ptr<PosixFile> cloned_file(const std::string& path);

}  // namespace e2qcow
