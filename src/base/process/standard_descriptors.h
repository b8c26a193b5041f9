// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace e2qcow {

inline constexpr int kStandardInput = 0;
inline constexpr int kStandardOutput = 1;

// Opens /dev/null for standard input, output or error if the caller closed them: otherwise the next file that
// is opened would get that number, and messages would be written into it. Output to such a descriptor fails.
void open_standard_descriptors();

bool is_terminal(int fd);

}  // namespace e2qcow
