// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>

namespace e2qcow {

// How many processors this process may use at a time: those that it may run on, or fewer if its control
// groups have a quota, which is rounded up. At least 1.
unsigned usable_cores();

// The quota alone; absent if there is none, or none can be seen. The least of those from the process's group
// up to the top, in control groups of version 1 and 2. `root` is put before all paths: "" for this system.
// Source: the kernel's Documentation/admin-guide/cgroup-v2.rst (cpu.max), cgroup-v1, scheduler/sched-bwc.rst
std::optional<unsigned> cores_of_quota(const std::string& root);

}  // namespace e2qcow
