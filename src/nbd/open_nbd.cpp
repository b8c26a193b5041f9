// SPDX-License-Identifier: GPL-2.0-or-later
#include "nbd/open_nbd.h"

#include <libnbd.h>

#include "nbd/nbd_file.h"

namespace e2qcow::nbd {

std::unique_ptr<File> open_nbd(const std::string& name, Access access, const Options& options) {
  return std::make_unique<NbdFile>(name, access, options);
}

std::string nbd_library() {
  const std::unique_ptr<nbd_handle, decltype(&::nbd_close)> handle(::nbd_create(), &::nbd_close);
  return handle ? std::string("libnbd ") + ::nbd_get_version(handle.get()) : "";
}

}  // namespace e2qcow::nbd
