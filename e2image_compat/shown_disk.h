// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <memory>

#include "e2image_compat/options.h"

namespace e2qcow::compat {

// `e2qcow exec` lets libext2fs show the disk in an image instead of the image. These functions ask libext2fs,
// so that this program sees what all others see, with the same overlay and backing files.

// Whether libext2fs shows a disk in the source, a qcow2 image. Images without `exec` and other files are what
// they are. Throws a Complaint if libext2fs cannot open it.
bool is_shown_as_disk(const Options& options);

// That disk, for several threads; null if there is none. Throws the same.
std::unique_ptr<ReadableFile> open_shown_disk(const Options& options);

}  // namespace e2qcow::compat
