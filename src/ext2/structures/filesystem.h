// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include "ext2/structures/descriptors.h"
#include "ext2/structures/geometry.h"
#include "ext2/structures/superblock.h"

namespace e2qcow::ext2 {

// A file system on a file or device, which must outlive it.
struct Filesystem {
  Filesystem(const ReadableFile& device, const Superblock& chosen)
      : file(device),
        superblock(chosen),
        geometry(chosen, device.size()),
        descriptors(device, chosen, geometry) {}

  const ReadableFile& file;
  Superblock superblock;
  Geometry geometry;
  GroupDescriptors descriptors;
  // The device with its journal, if the superblock names one and it was found; must outlive it as well.
  const Filesystem* external_journal = nullptr;
};

}  // namespace e2qcow::ext2
