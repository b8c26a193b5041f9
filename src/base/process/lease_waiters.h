// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace e2qcow {

// The processes that wait until they may open a file for writing, because `holder` has a lease on it
// (fcntl(2)). `locks` is the text of /proc/locks.
std::vector<pid_t> lease_waiters(const std::string& locks, pid_t holder, ino_t inode);

}  // namespace e2qcow
