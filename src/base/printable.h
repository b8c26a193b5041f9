// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace e2qcow {

// Text from a disk or an image, safe to print on a terminal: control characters and what is not UTF-8 as
// \xNN.
std::string printable(std::string_view text);

}  // namespace e2qcow
