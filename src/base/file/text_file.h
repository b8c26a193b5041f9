// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

#include "base/file/output_file.h"

namespace e2qcow {

// The whole of a file of at most 64 MiB.
std::string read_text_file(const std::string& path);

// Makes the text the contents of the file, which appears only when it is complete.
void commit_text(OutputFile& file, std::string_view text);

}  // namespace e2qcow
