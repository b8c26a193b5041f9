// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace e2qcow::plugin {

// The name by which an overlay finds its image: only the file name if both are in one directory, so that the
// directory can be moved, or else the path. If the overlay's name is a symbolic link, QEMU may look beside
// the link or beside its target, so the name must be valid in both directories. `image` is absolute with
// links resolved. The result is never one that QEMU would take for a protocol.
std::string backing_name(const std::string& image, const std::string& overlay);

// Whether the name that is stored in an overlay is that of the image. Looks at no file but the overlay.
bool is_backing_name(const std::string& name, const std::string& image, const std::string& overlay);

}  // namespace e2qcow::plugin
