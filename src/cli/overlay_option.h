// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <vector>

#include "plugin/settings.h"

namespace e2qcow::cli {

// --overlay [IMAGE=]FILE, at most once for each image and once without one.
void add_overlay_option(CLI::App& command, std::vector<plugin::NamedOverlay>& overlays);

}  // namespace e2qcow::cli
