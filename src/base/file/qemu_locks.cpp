// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/qemu_locks.h"

#include <fcntl.h>

#include <algorithm>
#include <array>

namespace e2qcow {
namespace {

// QEMU, block/file-posix.c: a shared lock on a byte of the first range says what its holder does, one on a
// byte of the second range what no other process may do.
constexpr off_t kDone = 100;
constexpr off_t kForbidden = 200;
constexpr off_t kReading = 0;  // include/block/block-common.h, BLK_PERM_*
constexpr off_t kWriting = 1;
constexpr off_t kResizing = 3;

struct flock one_byte(off_t offset, short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = offset;
  lock.l_len = 1;
  return lock;
}

void hold(int fd, off_t offset) {
  struct flock lock = one_byte(offset, F_RDLCK);
  ::fcntl(fd, F_OFD_SETLK, &lock);
}

bool is_held_by_others(int fd, off_t offset) {
  struct flock lock = one_byte(offset, F_WRLCK);
  return ::fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

}  // namespace

bool lock_as_qemu(int fd) {
  constexpr std::array kOurs{kDone + kReading, kDone + kWriting, kDone + kResizing, kForbidden + kWriting,
                             kForbidden + kResizing};
  for (const off_t offset : kOurs) hold(fd, offset);
  return !is_locked_by_qemu(fd);
}

bool is_locked_by_qemu(int fd) {
  constexpr std::array kOfOthers{kForbidden + kReading, kForbidden + kWriting, kForbidden + kResizing,
                                 kDone + kWriting, kDone + kResizing};
  return std::ranges::any_of(kOfOthers, [&](off_t offset) { return is_held_by_others(fd, offset); });
}

}  // namespace e2qcow
