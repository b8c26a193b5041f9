// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>

#include "base/file/packed_file.h"
#include "image/dump_record.h"
#include "work/device.h"
#include "work/survey.h"

namespace e2qcow::work {

// What a dump needs of a device that may change while it is read, and how much that was noticed.
struct LiveCopy {
  std::unique_ptr<PackedFile> disk;
  CaptureState state = CaptureState::changed;
};

// Reads all that is selected from the disk itself, the journal last, into a file in `directory`. The state is
//  - power_failure if the log that was read has everything from before the first read on: replaying it makes
//  the
//    copy as a power failure at that moment would have left it;
//  - unchanged if a second pass over everything, begun after the first one had ended, reads the same;
//  - changed otherwise, after a few tries.
// Times, counters and checksums in the file system prove nothing: a rename changes none of them on the disk.
LiveCopy copy_live(const DeviceOptions& options, const SurveyOptions& survey_options,
                   const std::string& directory);

// To open such a copy as a device; it may be opened once.
DeviceOptions options_of_copy(const DeviceOptions& options, std::unique_ptr<ReadableFile> copy);

}  // namespace e2qcow::work
