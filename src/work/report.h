// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ext2/names/affected_files.h"
#include "ext2/selection/findings.h"
#include "work/survey.h"

namespace e2qcow::work {

// What could not be read or was not consistent, and whose it is.
struct Report {
  std::vector<Extent> losses;  // of the file system's device
  std::map<Finding, ext2::Findings::Summary> summary;
  std::vector<ext2::Findings::Entry> findings;
  ext2::FileNames names;
};

enum class Paths { of_affected_files, of_findings_too };

// To be made when all was read. Paths of what the findings are about cost a look into all directories. That
// they cannot be read is a notice: the image is complete by now.
Report make_report(const Device& device, const Survey& survey, Paths paths, const Notice& notice);

// "bad extent node: inode 12, block 345 (and 6 more)"
std::string text_of(Finding finding, const ext2::Findings::Summary& summary);

}  // namespace e2qcow::work
