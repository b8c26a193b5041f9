// SPDX-License-Identifier: GPL-2.0-or-later
#include "work/open_disk.h"

#include "nbd/nbd_name.h"
#include "nbd/open_nbd.h"

namespace e2qcow::work {

std::unique_ptr<ReadableFile> open_disk(const std::string& name, const PosixFile::Options& options,
                                        const nbd::Options& remote) {
  if (nbd::is_nbd_name(name)) return nbd::open_nbd(name, nbd::Access::read, remote);
  return open_for_reading(name, options);
}

}  // namespace e2qcow::work
