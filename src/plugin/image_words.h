// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace e2qcow::plugin {

// The first word of a command line that is the name of an image; libext2fs also takes IMAGE?offset=N. Only
// regular files are opened.
std::optional<std::string> find_image(const std::vector<std::string>& words);

}  // namespace e2qcow::plugin
