// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/file/output_file.h"
#include "work/anonymize.h"
#include "work/plan.h"
#include "work/survey.h"
#include "work/write_image.h"

namespace e2qcow::work {

struct DumpOptions {
  DumpKind kind = DumpKind::metadata;
  ImageFormat format{};
  TransferOptions transfer{};
  CaptureState capture = CaptureState::at_rest;  // of the device
  std::optional<DumpRecord::Pair> pair{};        // with the image of its journal, or of what has this journal
  // If it is frozen only as long as that is needed: called once, when all of it was read, and returns the
  // state.
  std::function<CaptureState()> thaw{};
  bool remember = false;                        // what was read, for map files
  bool commit = true;                           // see ImageOutput
  bool verify = false;                          // the same
  Spool spool = Spool::kept;                    // the same
  const BaseImage* base = nullptr;              // the image is made on; null: none
  bool keep_same = false;                       // do not write an image that exists already; see DumpResult
  std::optional<AnonymizeOptions> anonymize{};  // absent: the dump is as the device
  // Called when the new names are known, before anything is written.
  std::function<void(const AnonymizedDump&, const Survey&)> names_are_known{};
  Notice notice = ignore_notice;
};

// The destination of the image.
struct DumpTarget {
  std::string name;
  std::unique_ptr<OutputFile> file;  // null: standard output
};
// "-" is standard output. Throws Errc::overwrites_input, or Errc::is_device for a block device that is not
// accepted.
DumpTarget open_dump_target(const Device& device, const std::string& path, bool accept_device = false);

struct DumpResult {
  Survey survey;
  std::unique_ptr<AnonymizedDump> anonymized;  // null: it is not
  DumpRecord record;                           // what the image records
  std::uint64_t disk_size = 0;
  std::uint64_t image_size = 0;
  // With keep_same: the target is an image with the very disk and record that were to be written, and was
  // left alone.
  bool kept = false;
};

// Writes the image and, unless that is left to the caller, commits it.
DumpResult dump(const Device& device, const DumpTarget& target, const DumpOptions& options);

}  // namespace e2qcow::work
