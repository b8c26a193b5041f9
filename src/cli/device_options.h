// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <CLI/CLI.hpp>

#include "work/device.h"

namespace e2qcow::cli {

// The options for the location of the file system and for reading it.
void add_device_options(CLI::App& command, work::DeviceOptions& options);

}  // namespace e2qcow::cli
