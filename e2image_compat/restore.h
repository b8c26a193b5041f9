// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>
#include <e2qcow/image.h>

#include <memory>
#include <string>

#include "base/durability.h"
#include "base/file/output_stream.h"
#include "base/file/posix_file.h"
#include "e2image_compat/options.h"
#include "work/image.h"

namespace e2qcow::compat {

// A qcow2 image to restore. Throws Errc::ambiguous for a file that also looks like an ext2/3/4 file system,
// or Errc::missing_backing for one that needs a backing file.
work::Image read_image(std::unique_ptr<ReadableFile> file);

// Writes the whole disk to a target in place: zeros of the image clear the range, and everything around it
// stays. A file that is too short grows; a device that is too short is an error.
void restore_in_place(const work::Image& image, PosixFile& target, std::uint64_t offset);
// Writes it to an empty regular file. With Durability::synced the caller syncs it at the end.
void restore_to_empty_file(const work::Image& image, PosixFile& target, Durability durability);
void restore_to_stream(const work::Image& image, OutputStream& target);

// e2image -r IMAGE.qcow2. Returns the exit status.
int restore(const Options& options);

}  // namespace e2qcow::compat
