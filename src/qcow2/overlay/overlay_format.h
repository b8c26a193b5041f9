// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <optional>
#include <span>
#include <string>

#include "qcow2/format/format.h"
#include "qcow2/write/layout.h"

namespace e2qcow::qcow2 {

// Where the tables of a new overlay lie. The refcount table has room for all clusters of the disk and their
// tables; of the refcount blocks there is one, and what follows it is for what will be written.
Layout plan_overlay(std::uint64_t disk_size);

// What an overlay says of the image that it changes.
struct OverlayBase {
  std::string name;  // as QEMU will open it: absolute, or relative to the overlay's directory
  std::uint64_t disk_size = 0;
  std::optional<Extension> dump_record{};  // the image's; it holds for the overlay, too
};

// Writes an overlay without data to an empty file; the header goes last.
void create_overlay(File& file, const OverlayBase& base);

}  // namespace e2qcow::qcow2
