// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/error.h>

#include <string>

namespace e2qcow::plugin {

// The hint at --backing, an option of `e2qcow exec` and others, for an error; empty if it does not help.
// Programs of others have no such option, and get only the fact.
inline std::string backing_hint(const std::error_code& code) {
  if (code == Errc::missing_backing) return "; name it with --backing FILE:raw or FILE:qcow2 if you trust it";
  if (code == Errc::unknown_format) return "; name the format with --backing FILE:raw or FILE:qcow2";
  return "";
}

// The hint at --data-file for Errc::missing_data_file.
inline constexpr const char* kDataFileHint = "name it with --data-file FILE if you trust it";

}  // namespace e2qcow::plugin
