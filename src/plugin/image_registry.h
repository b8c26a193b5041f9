// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>

#include "plugin/open_image.h"

namespace e2qcow::plugin {

enum class Access { read, write };

// The image, shared by all that have it open. Changes in a temporary file are kept until the program ends,
// because e2fsck closes and reopens the image after replaying a journal. Everything is flushed at that end.
std::shared_ptr<OpenImage> open_image(const std::string& path, Access access);

}  // namespace e2qcow::plugin
