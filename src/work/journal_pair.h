// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "image/dump_record.h"
#include "work/device.h"

namespace e2qcow::work {

// What tells that the images of a file system and of its journal on another device were made together: a hash
// of their superblocks, of the states that they are in. The device has a journal of its own.
DumpRecord::Pair pair_of(const Device& device);

// Where the image of the journal goes if the user names nothing: "fs.journal.qcow2" beside "fs.qcow2".
std::string journal_image_name(const std::string& image);

}  // namespace e2qcow::work
