// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace e2qcow::cli {

// The strings in a report, which is JSON, as they were before JSON and printable() escaped them; each ends
// with a line. Empty if it is no JSON.
std::string strings_in_report(const std::string& report);

}  // namespace e2qcow::cli
