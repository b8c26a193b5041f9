// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <string>
#include <vector>

#include "qcow2/format/format.h"

namespace e2qcow::qcow2 {

// The first fault of what the disk in an image does not depend on: refcounts, snapshots, bitmaps. Empty if
// there is none. It is no reason not to read the disk.
std::string fault_of_other_tables(const ReadableFile& file, const Header& header,
                                  const std::vector<Extension>& extensions);

}  // namespace e2qcow::qcow2
