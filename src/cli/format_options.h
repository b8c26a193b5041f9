// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "work/plan.h"

namespace e2qcow::cli {

// The options for the qcow2 format that is written.
struct FormatOptions {
  std::string compress{};
  std::string compat = "1.1";
  std::string cluster_size{};  // empty: the default
  std::string digest{};        // the same
};
void add_format_options(CLI::App& command, FormatOptions& options);

// Throws CLI::ValidationError if the options do not go together.
work::ImageFormat image_format(const FormatOptions& options);

}  // namespace e2qcow::cli
