// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <memory>
#include <vector>

#include "ext2/selection/findings.h"
#include "ext2/selection/select.h"
#include "image/dump_record.h"
#include "work/device.h"

namespace e2qcow::work {

struct SurveyOptions {
  DumpKind kind = DumpKind::metadata;
  TransferOptions transfer{};
  bool most_important_first = false;  // for a device that may die on the way
  bool remember = false;              // see ext2::SelectOptions
  bool find_roles = false;            // the same
};

// The contents of a dump of the device, and the inconsistencies of the file system.
struct Survey {
  ext2::SelectedExtents selected{};
  std::unique_ptr<ext2::Findings> findings = std::make_unique<ext2::Findings>();

  // The classes that have blocks.
  std::vector<DumpRecord::ClassBytes> classes() const;
};

// Without a file system: the other contents that are recognised; or, with DumpKind::all, everything.
Survey survey(const Device& device, const SurveyOptions& options);

}  // namespace e2qcow::work
