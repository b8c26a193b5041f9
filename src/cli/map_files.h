// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "cli/device_input.h"

namespace e2qcow::cli {

// Map files of GNU ddrescue, of the device that the user named.

// What a dump looks at is finished, what could not be read of it is bad, and nothing else was tried. What the
// user's map kept from being read is what it is there.
std::string rescue_map_text(const DeviceInput& input, const ext2::SelectOptions& options);

// What a dump looks at is finished, and nothing else: for ddrescue -m. The device's last sector is in it, so
// that what ddrescue writes is as large as the device.
std::string domain_map_text(const DeviceInput& input, const ext2::SelectOptions& options);

}  // namespace e2qcow::cli
