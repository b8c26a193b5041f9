// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/error.h>

#include <string>

namespace e2qcow::plugin {

// What users of --backing, an option of `e2qcow exec` and others, can do about an error. Empty: nothing.
// Other programs than ours have no such option, and are told the fact alone.
inline std::string backing_hint(const std::error_code& code) {
  if (code == Errc::missing_backing) return "; name it with --backing FILE:raw or FILE:qcow2 if you trust it";
  if (code == Errc::unknown_format) return "; say which with --backing FILE:raw or FILE:qcow2";
  return "";
}

}  // namespace e2qcow::plugin
