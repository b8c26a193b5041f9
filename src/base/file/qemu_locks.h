// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace e2qcow {

// Locks a file as QEMU's programs lock the image of a disk that they write to, and others may not read or
// write meanwhile, until it is closed. False where one of them has it open, to write to it or to have it
// unchanged. True where the file system knows no locks.
bool lock_as_qemu(int fd);

}  // namespace e2qcow
