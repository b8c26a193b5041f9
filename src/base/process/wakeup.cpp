// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process/wakeup.h"

#include <e2qcow/error.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

namespace e2qcow {

Wakeup::Wakeup() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_.get() < 0) fail_errno("eventfd");
}

// It fails only if there were notifications without end, and then it is readable.
void Wakeup::notify() const {
  if (::eventfd_write(fd_.get(), 1) != 0) errno = 0;
}

void Wakeup::clear() const {
  eventfd_t count = 0;
  if (::eventfd_read(fd_.get(), &count) != 0) errno = 0;
}

}  // namespace e2qcow
