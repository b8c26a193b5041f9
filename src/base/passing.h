// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <exception>

namespace e2qcow {

// Whether the same command may succeed later, with nothing changed about it: what failed was a resource that
// others use as well (room, memory, a connection, a device or file that is in use), and not the device, the
// image, or what was asked for.
bool may_pass(const std::exception& error);

}  // namespace e2qcow
