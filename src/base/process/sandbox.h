// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

namespace e2qcow {

// Gives up what a program that has opened its files does not need, so that a mistake in reading what
// strangers made stays small: no new privileges, and, where the kernel has Landlock, no file is opened any
// more. What is open may still be given a name in the directories, and may replace what has it. Before
// threads are started. What the kernel cannot do is left out.
void give_up_rights(const std::vector<std::string>& naming_directories);

}  // namespace e2qcow
