// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>

#include "cli/dump_command.h"
#include "work/live/dump_source.h"

namespace e2qcow::cli {

// The image of a journal on another device, which is dumped with its file system.
class JournalDump {
 public:
  // Opens it, if there is such a journal. Without one, and for a stream, it must not be named. `base`, which
  // may be null, is that of the other image.
  JournalDump(const DumpCommand& command, const work::DumpSource& source, const work::BaseImage* base);

  // Notes in `options` that the images belong together.
  void write(const DumpCommand& command, const work::Device& device, work::DumpOptions& options);
  void commit();

 private:
  std::string name_;
  std::optional<work::DumpTarget> target_;
  bool is_kept_ = false;
};

}  // namespace e2qcow::cli
