// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace e2qcow {

// Takes the locks that QEMU takes on an image it writes, until the file is closed. Returns false if a QEMU
// program has the image open for writing or relies on it not changing; true if the file system has no locks.
bool lock_as_qemu(int fd);

// Whether a QEMU program has the image open, for reading or writing.
bool is_locked_by_qemu(int fd);

}  // namespace e2qcow
