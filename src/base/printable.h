// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace e2qcow {

// Text from a disk or an image, safe to print on a terminal: as \xNN each byte of a control character, of an
// invisible character that changes how others are shown, of an unassigned one, of anything that is not UTF-8,
// and of a backslash.
std::string printable(std::string_view text);

}  // namespace e2qcow
