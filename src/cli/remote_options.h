// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "nbd/options.h"

namespace e2qcow::cli {

// The options for disks on servers.
void add_remote_options(CLI::App& command, nbd::Options& options);

// The words of the command line, with "[", the words of a command, "]" as one word that names the disk which
// the command serves. Only for commands that take such names.
std::vector<std::string> with_joined_brackets(const std::vector<std::string>& words);

}  // namespace e2qcow::cli
