// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include "qcow2/check/check_report.h"

namespace e2qcow::qcow2 {

// Compares every reference in an image to every refcount, and all tables to the format. Counts and describes
// damage in the result, however bad it is; if the header has a table that is impossible, nothing after that.
// Throws only if the rest of the header is invalid (Errc::not_qcow2, corrupt, truncated, unsupported) or the
// file cannot be read. Memory and time follow the size of the file, not what it claims. With `data` every
// compressed cluster is also decoded.
struct CheckOptions {
  bool data = false;
  unsigned threads = 1;
  const ReadableFile* data_file = nullptr;  // external, if the image has one and it is at hand
};
CheckResult check(const ReadableFile& file, const CheckOptions& options = {});

}  // namespace e2qcow::qcow2
