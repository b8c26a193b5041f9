// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "work/image.h"

namespace e2qcow::cli {

// The options for the image that is read, and the limits of what is accepted.
void add_image_options(CLI::App& command, work::ImageOptions& options);
// Parts of these options.
void add_backing_option(CLI::App& command, const std::string& name, work::ImageOptions& options);
void add_data_file_option(CLI::App& command, std::vector<std::string>& files);
void add_no_verify_option(CLI::App& command, work::ImageOptions& options);
void add_limit_options(CLI::App& command, work::ImageOptions& options);

}  // namespace e2qcow::cli
