// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "work/survey.h"

namespace e2qcow::work {

// Map files of GNU ddrescue for the whole device, from a survey that remembers what it read.

// Areas that the dump read are finished, those that could not be read are bad, and nothing else was tried.
// Areas skipped because of the user's map keep their status from it.
std::string rescue_map_text(const Device& device, const Survey& survey);

// Only the areas that a dump reads are finished: for ddrescue -m. The device's last sector is among them, so
// that the output of ddrescue is as large as the device.
std::string domain_map_text(const Device& device, const Survey& survey);

}  // namespace e2qcow::work
