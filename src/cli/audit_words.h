// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "work/audit/audit.h"

namespace e2qcow::cli {

// "name of inode 12 in directory 2"
std::string string_words(const work::AuditFinding& finding);

// "disk, offset 4096 (directories)"
std::string place_words(const work::AuditFinding& finding);

// One finding as a line: what it is, and where.
std::string finding_line(const work::AuditFinding& finding, bool with_device);

}  // namespace e2qcow::cli
