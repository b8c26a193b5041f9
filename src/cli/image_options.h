// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "work/image.h"

namespace e2qcow::cli {

// The options that say what image is read, and what is believed of it.
void add_image_options(CLI::App& command, work::ImageOptions& options);
// Parts of that.
void add_backing_option(CLI::App& command, const std::string& name, work::ImageOptions& options);
void add_limit_options(CLI::App& command, work::ImageOptions& options);

}  // namespace e2qcow::cli
