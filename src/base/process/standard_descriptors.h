// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace e2qcow {

// Opens /dev/null for standard input, output or error where the caller closed them: else the next file that
// is opened would take their place, and messages would be written into it. Output to such a place fails.
void open_standard_descriptors();

}  // namespace e2qcow
