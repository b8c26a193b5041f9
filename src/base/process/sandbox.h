// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

namespace e2qcow {

// Drops the rights that a program no longer needs once its files are open, to limit the damage of a bug in
// parsing untrusted data: no new privileges, and, if the kernel has Landlock, no more files can be opened. An
// open file may still be given a name in the given directories, and may replace the file of that name; and
// `readable`, files and directories, can still be read, as far as they exist. Call it before threads are
// started. Restrictions that the kernel does not support are skipped.
void give_up_rights(const std::vector<std::string>& naming_directories,
                    const std::vector<std::string>& readable = {});

}  // namespace e2qcow
