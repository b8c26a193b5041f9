// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>

#include "base/file/posix_file.h"

namespace e2qcow {

std::string temporary_directory();
// As messages name one.
std::string temporary_name();

// An unnamed file in $TMPDIR, or /tmp, that disappears when it is closed.
std::unique_ptr<PosixFile> open_temporary_file();
// The same in another directory.
std::unique_ptr<PosixFile> open_temporary_file(const std::string& directory);

}  // namespace e2qcow
