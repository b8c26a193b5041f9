// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace e2qcow::plugin {

// The name under which an overlay finds its image: the image's alone where both are in one directory, so that
// this can be moved, else its path. Where the overlay's name is a link, QEMU looks beside the link or beside
// the file, as it is named, so both must be there. `image` is absolute, links resolved. Nothing that QEMU
// would take for the name of a protocol.
std::string backing_name(const std::string& image, const std::string& overlay);

// Whether the name that stands in an overlay is that of the image. Looks at no file but the overlay.
bool is_backing_name(const std::string& name, const std::string& image, const std::string& overlay);

}  // namespace e2qcow::plugin
