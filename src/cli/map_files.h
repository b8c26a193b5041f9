// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <span>
#include <string>

#include "cli/device_input.h"

namespace e2qcow::cli {

// Map files of GNU ddrescue, of the device that the user named.

// What the dump looked at is finished, except for what could not be read: that is bad. Nothing else was
// tried. Areas that the user's map kept from being read keep their status from that map.
std::string rescue_map_text(const DeviceInput& input, std::span<const Extent> looked_at);

// What a dump looks at is finished, and nothing else: for ddrescue -m. The device's last sector is in it, so
// that what ddrescue writes is as large as the device.
std::string domain_map_text(const DeviceInput& input, std::span<const Extent> looked_at);

}  // namespace e2qcow::cli
