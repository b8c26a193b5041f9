// SPDX-License-Identifier: GPL-2.0-or-later
#include "nbd/open_nbd.h"

#include <e2qcow/error.h>

namespace e2qcow::nbd {

std::unique_ptr<File> open_nbd(const std::string& name, Access /*access*/, const Options& /*options*/) {
  fail(Errc::refused, name + ": this program was built without libnbd, and cannot reach disks on servers");
}

std::string nbd_library() {
  return "";
}

}  // namespace e2qcow::nbd
