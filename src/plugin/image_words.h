// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace e2qcow::plugin {

// The first word of a command line that is the name of an image; libext2fs also takes IMAGE?offset=N. Only
// regular files and block devices are opened.
std::optional<std::string> find_image(const std::vector<std::string>& words);

// All images that are named in a command line, also inside of words: 'e2fsck -n IMAGE', --option=IMAGE. Names
// with spaces are not found there.
std::vector<std::string> named_images(const std::vector<std::string>& words);

}  // namespace e2qcow::plugin
