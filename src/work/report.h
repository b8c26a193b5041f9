// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ext2/names/affected_files.h"
#include "ext2/selection/findings.h"
#include "work/survey.h"

namespace e2qcow::work {

// The losses and inconsistencies of a dump, and the files they belong to.
struct Report {
  std::uint64_t begin = 0;  // of the file system on the device: the offsets below count from there
  std::vector<Extent> losses;
  std::map<Finding, ext2::Findings::Summary> summary;
  std::vector<ext2::Findings::Entry> findings;
  ext2::FileNames names;
};

enum class Paths { of_affected_files, of_findings_too };

// Call it after everything was read. Paths for findings cost a pass over all directories. A failure to read
// these is only a notice: the image is complete by now.
Report make_report(const Device& device, const Survey& survey, Paths paths, const Notice& notice);

// "bad extent node: inode 12, block 345 (and 6 more)"
std::string text_of(Finding finding, const ext2::Findings::Summary& summary);

}  // namespace e2qcow::work
