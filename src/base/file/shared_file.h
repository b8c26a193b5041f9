// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "base/unique_fd.h"

namespace e2qcow {

// Files without a name that one process holds open and that others open through /proc.

// The name by which others open a descriptor of this process.
std::string name_for_others(int fd);

// Whether the name is that of a file without a name: the number of the process in it may be another
// process's by now, and files of other processes have names.
bool is_shared_file(const std::string& name);

// Waits until no other process has the lock, and holds it until the result is closed. An empty one if there
// is no such file.
UniqueFd lock_shared_file(const std::string& name);

// A file in memory that others mark; a missing one is not marked.
UniqueFd create_unmarked_file();
void mark_shared_file(const std::string& name);
bool is_marked(const UniqueFd& file);

}  // namespace e2qcow
