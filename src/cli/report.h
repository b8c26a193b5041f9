// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/device_input.h"
#include "ext2/names/affected_files.h"
#include "ext2/selection/findings.h"

namespace e2qcow::cli {

// What could not be read or was not consistent, and whose it is.
struct Report {
  std::vector<Extent> losses;  // of the file system's device
  std::map<ext2::Finding, ext2::Findings::Summary> summary;
  std::vector<ext2::Findings::Entry> findings;
  ext2::FileNames names;
};

// To be made when all was read. Paths of what the findings are about cost a look into all directories, and
// are only found if `with_paths` asks for them; those of files that were hit always are.
Report make_report(const DeviceInput& input, const ext2::SelectedExtents& selected,
                   const ext2::Findings& findings, bool with_paths);

// On standard error, in at most 20 lines or so.
void print_report(const Report& report, const std::string& device);

// All of it, as JSON.
std::string report_text(const Report& report, const DeviceInput& input);

}  // namespace e2qcow::cli
