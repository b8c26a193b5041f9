// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace e2qcow {

// Text from a disk or an image, safe to print on a terminal: each byte of a control character, of an
// invisible one that changes how others are shown, of an unassigned one and of what is not UTF-8 as \xNN, and
// the backslash, too.
std::string printable(std::string_view text);

}  // namespace e2qcow
