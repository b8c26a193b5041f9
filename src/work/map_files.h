// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "work/survey.h"

namespace e2qcow::work {

// Map files of GNU ddrescue, of the whole device, by a survey that remembers what it looked at.

// What the dump looked at is finished, except for what could not be read: that is bad. Nothing else was
// tried. Areas that the user's map kept from being read keep their status from that map.
std::string rescue_map_text(const Device& device, const Survey& survey);

// What a dump looks at is finished, and nothing else: for ddrescue -m. The device's last sector is in it, so
// that what ddrescue writes is as large as the device.
std::string domain_map_text(const Device& device, const Survey& survey);

}  // namespace e2qcow::work
