// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "cli/command.h"
#include "cli/format_options.h"
#include "cli/message.h"
#include "work/base_image.h"
#include "work/device.h"
#include "work/dump.h"

namespace e2qcow::cli {

inline constexpr const char* kPlain = "true";  // what a flag without a value has
inline constexpr const char* kStrict = "strict";

// The command line of dump.
struct DumpCommand {
  work::DeviceOptions device{.notice = say_line};
  std::string image;
  bool all = false;
  bool verify = false;
  bool if_changed = false;
  std::string spool = "auto";
  bool to_device = false;  // the image may be a block device
  work::BaseOptions base{.image = {.notice = say_line}};
  std::string journal_image;  // of an external journal; empty: beside the image
  bool snapshot = false;
  std::string freeze;     // seconds, or kPlain; empty: not
  std::string anonymize;  // empty: not
  std::string key;        // file; empty: a new key, that is forgotten
  std::string name_map;   // file; empty: none
  std::string report;     // empty: none
  std::string map_out;    // the same
  FormatOptions format;
  Common common;
};

// What is to be dumped and how, but for what is known only when the device is open. Throws
// CLI::ValidationError for options that do not go together.
work::DumpOptions dump_options(const DumpCommand& command);

// Returns the exit status.
int run_dump(const DumpCommand& command);

}  // namespace e2qcow::cli
