#pragma once

#include <memory>

#include "base/posix_file.h"

namespace e2qcow {

// A file without a name, gone when it is closed; in $TMPDIR, or /tmp.
std::unique_ptr<PosixFile> open_temporary_file();

}  // namespace e2qcow
