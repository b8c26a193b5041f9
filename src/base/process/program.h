// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace e2qcow {

// Why the program ignores LD_PRELOAD: it is linked statically, is for 32 bits while
// we are for 64, or is setuid or setgid. Empty if it does not,
// cannot be found, or is a script. `command` is a path or a name to be found in PATH.
std::string why_preloading_fails(const std::string& command);

}  // namespace e2qcow
