// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <optional>
#include <span>
#include <string>

#include "qcow2/format/format.h"
#include "qcow2/write/layout.h"

namespace e2qcow::qcow2 {

// The layout of a new overlay. Its refcount table has room for all clusters of the disk and their tables. It
// has one refcount block; what will be written follows after that.
Layout plan_overlay(std::uint64_t disk_size);

// What an overlay records about the image that it changes.
struct OverlayBase {
  std::string name;  // as QEMU will open it: absolute, or relative to the overlay's directory
  std::uint64_t disk_size = 0;
  std::optional<Extension> dump_record{};  // the image's, which also describes the overlay
};

// Writes an overlay without data to an empty file; the header goes last.
void create_overlay(File& file, const OverlayBase& base);

}  // namespace e2qcow::qcow2
