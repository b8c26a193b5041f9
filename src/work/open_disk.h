// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>

#include "base/file/posix_file.h"
#include "nbd/options.h"

namespace e2qcow::work {

// A disk to read: a file, a block device, or a disk on a server (see nbd/nbd_name.h).
std::unique_ptr<ReadableFile> open_disk(const std::string& name, const PosixFile::Options& options,
                                        const nbd::Options& remote);

}  // namespace e2qcow::work
