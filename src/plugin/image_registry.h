// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>

#include "plugin/open_image.h"

namespace e2qcow::plugin {

enum class Access { read, write };

// The image, which is one for all that have it open. Changes in a file of ours stay until the end of the
// program, as e2fsck closes and opens again when it has replayed a journal. At that end all is flushed.
std::shared_ptr<OpenImage> open_image(const std::string& path, Access access);

}  // namespace e2qcow::plugin
