// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "e2image_compat/options.h"

namespace e2qcow::compat {

// The plain format, "Ext2 Image 1.0", which debugfs, dumpe2fs and e2fsck open with -i: superblock,
// descriptors, inode tables and bitmaps. Returns the exit status.
int write_classic(const Options& options);

// e2image -I: puts superblock, descriptors, bitmaps and inode tables of such an image back on the device.
int install_classic(const Options& options);

}  // namespace e2qcow::compat
