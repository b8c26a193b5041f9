// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <exception>
#include <string>

#include "cli/command.h"

namespace e2qcow::cli {

// Prints what was wrong with the command line, and returns the exit status. `text` begins with the program's
// name.
int report_usage_error(const CLI::App& app, const std::string& text);

// Prints an error of the command, as JSON too if that was asked for, and returns the exit status; ends by the
// signal if one stopped the work.
int report_failure(const std::exception& error, const CLI::App& command, const Chosen& chosen);

}  // namespace e2qcow::cli
