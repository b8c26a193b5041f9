// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "work/report.h"

namespace e2qcow::cli {

// On standard error, in at most 20 lines or so.
void print_report(const work::Report& report, const std::string& device);

// All of it, as JSON.
std::string report_text(const work::Report& report, const work::Device& device);

}  // namespace e2qcow::cli
