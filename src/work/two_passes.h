// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <cstdint>
#include <functional>
#include <string>

#include "base/file/output_stream.h"

namespace e2qcow::work {

// Writes a file to a stream whose first bytes, those before `begin`, are known only when all others are: it
// is made twice, by calls of `write`, and must be the same both times. Bytes after `begin` are written nearly
// in order (see OrderedFile), to the end at most `reach` bytes back.
// If it is not the same, throws Errc::changed with `name`, and the end of the file is missing in the stream,
// as it is after any error.
void write_in_two_passes(const std::string& name, std::uint64_t begin, std::uint64_t reach, OutputStream& out,
                         const std::function<void(File&)>& write);

}  // namespace e2qcow::work
