// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace e2qcow::plugin {

// Whether the program gets a disk instead of the file; `exec` learns of it. A path that cannot be opened, or
// is not a file, is left to the program.
bool is_shown_as_disk(const char* path) noexcept;

}  // namespace e2qcow::plugin
