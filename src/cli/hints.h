// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <exception>
#include <string>
#include <system_error>

namespace e2qcow::cli {

// The option of a command that helps against an error, as "; use --x". Empty if there is none, or if it was
// given already.
std::string hint_for(const std::error_code& code, const CLI::App& command);

// What the error says, with its hint.
std::string error_text(const std::exception& error, const CLI::App& command);

}  // namespace e2qcow::cli
