// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process/standard_descriptors.h"

#include <e2qcow/error.h>
#include <fcntl.h>
#include <unistd.h>

namespace e2qcow {

void open_standard_descriptors() {
  // The lowest free descriptor is used first, so this fills the gaps. Read-only, so that writing still fails.
  int fd = -1;
  do {
    fd = ::open("/dev/null", O_RDONLY);
    if (fd < 0) fail_errno("/dev/null: open");
  } while (fd <= STDERR_FILENO);
  ::close(fd);
}

bool is_terminal(int fd) {
  return ::isatty(fd) == 1;
}

}  // namespace e2qcow
