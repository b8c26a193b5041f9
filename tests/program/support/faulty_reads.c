/* SPDX-License-Identifier: GPL-2.0-or-later */
// Preloaded into a program, makes its system calls fail where a test says so. Set by the environment:
//
//   FAULTY_FILE=PATH              the file or block device whose reads are watched
//   FAULTY_RANGES=OFFSET:LENGTH,  its reads that touch one of these ranges fail with EIO,
//   FAULTY_TIMES=N                ... the first N of them only
//   FAULTY_GONE=N                 the Nth read of it and all later ones fail with ENOTCONN,
//   FAULTY_GONE_ERRNO=NUMBER      ... or with this error
//   FAULTY_READ=N                 at the Nth read of it
//   FAULTY_SIGNAL=NUMBER          ... this signal is raised
//   FAULTY_SIGNALS=N              ... N times (1)
//   FAULTY_FLIP=OFFSET            this byte of it is another one from the second read of it on
//   FAULTY_WRITE=N                the Nth write to any file or block device, and every later one, fails
//                                 with ENOSPC
//   FAULTY_KILL=N                 the Nth such write kills the program before it is done
//   FAULTY_SYNC=1                 fsync and fdatasync fail with EIO
//   FAULTY_TMPFILE=1              O_TMPFILE is not supported
//   FAULTY_CLOCK=SECONDS          the clock goes on by so much whenever it is read
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static atomic_long touching_reads;
static atomic_long reads;
static atomic_long reads_of_byte;
static atomic_long writes;
static atomic_long clock_readings;

static long setting(const char* name) {
  const char* text = getenv(name);
  return text == NULL ? 0 : strtol(text, NULL, 10);
}

static bool is_watched(int fd) {
  const char* path = getenv("FAULTY_FILE");
  struct stat wanted;
  struct stat status;
  if (path == NULL || stat(path, &wanted) != 0 || fstat(fd, &status) != 0) return false;
  if (S_ISBLK(wanted.st_mode)) return S_ISBLK(status.st_mode) && wanted.st_rdev == status.st_rdev;
  return wanted.st_dev == status.st_dev && wanted.st_ino == status.st_ino;
}

static bool touches_a_range(long long offset, size_t length) {
  const char* text = getenv("FAULTY_RANGES");
  while (text != NULL && *text != '\0') {
    char* end;
    const long long first = strtoll(text, &end, 10);
    if (*end != ':') return false;
    const long long count = strtoll(end + 1, &end, 10);
    if (offset < first + count && first < offset + (long long)length) return true;
    text = *end == ',' ? end + 1 : end;
  }
  return false;
}

static void raise_signals(void) {
  const long count = setting("FAULTY_SIGNALS");
  for (long i = 0; i < (count == 0 ? 1 : count); ++i) raise((int)setting("FAULTY_SIGNAL"));
}

static bool read_fails(int fd, long long offset, size_t length) {
  if (!is_watched(fd)) return false;
  const long number = atomic_fetch_add(&reads, 1) + 1;
  if (number == setting("FAULTY_READ")) raise_signals();
  const long gone = setting("FAULTY_GONE");
  if (gone != 0 && number >= gone) {
    errno = getenv("FAULTY_GONE_ERRNO") == NULL ? ENOTCONN : (int)setting("FAULTY_GONE_ERRNO");
    return true;
  }
  if (!touches_a_range(offset, length)) return false;
  const long times = setting("FAULTY_TIMES");
  if (times != 0 && atomic_fetch_add(&touching_reads, 1) >= times) return false;
  errno = EIO;
  return true;
}

static bool write_fails(int fd) {
  struct stat status;
  const long failing = setting("FAULTY_WRITE");
  const long killing = setting("FAULTY_KILL");
  if ((failing == 0 && killing == 0) || fstat(fd, &status) != 0) return false;
  if (fd <= STDERR_FILENO || !(S_ISREG(status.st_mode) || S_ISBLK(status.st_mode))) return false;
  const long number = atomic_fetch_add(&writes, 1) + 1;
  if (number == killing) raise(SIGKILL);
  if (failing == 0 || number < failing) return false;
  errno = ENOSPC;
  return true;
}

static size_t total(const struct iovec* parts, int count) {
  size_t sum = 0;
  for (int i = 0; i < count; ++i) sum += parts[i].iov_len;
  return sum;
}

static void flip(int fd, unsigned char* out, ssize_t length, long long offset) {
  const long long byte = setting("FAULTY_FLIP");
  if (byte == 0 || byte < offset || byte >= offset + length || !is_watched(fd)) return;
  if (atomic_fetch_add(&reads_of_byte, 1) > 0) out[byte - offset] ^= 0xff;
}

ssize_t pread64(int fd, void* out, size_t length, off64_t offset) {
  if (read_fails(fd, offset, length)) return -1;
  const ssize_t done = syscall(SYS_pread64, fd, out, length, offset);
  if (done > 0) flip(fd, out, done, offset);
  return done;
}

ssize_t pread(int fd, void* out, size_t length, off_t offset) {
  return pread64(fd, out, length, offset);
}

ssize_t preadv64(int fd, const struct iovec* parts, int count, off64_t offset) {
  if (read_fails(fd, offset, total(parts, count))) return -1;
  return syscall(SYS_preadv, fd, parts, (long)count, offset, 0L);
}

ssize_t preadv(int fd, const struct iovec* parts, int count, off_t offset) {
  return preadv64(fd, parts, count, offset);
}

ssize_t read(int fd, void* out, size_t length) {
  const off_t offset = lseek(fd, 0, SEEK_CUR);
  return offset >= 0 && read_fails(fd, offset, length) ? -1 : syscall(SYS_read, fd, out, length);
}

ssize_t pwrite64(int fd, const void* data, size_t length, off64_t offset) {
  return write_fails(fd) ? -1 : syscall(SYS_pwrite64, fd, data, length, offset);
}

ssize_t pwrite(int fd, const void* data, size_t length, off_t offset) {
  return pwrite64(fd, data, length, offset);
}

ssize_t pwritev64(int fd, const struct iovec* parts, int count, off64_t offset) {
  return write_fails(fd) ? -1 : syscall(SYS_pwritev, fd, parts, (long)count, offset, 0L);
}

ssize_t pwritev(int fd, const struct iovec* parts, int count, off_t offset) {
  return pwritev64(fd, parts, count, offset);
}

ssize_t write(int fd, const void* data, size_t length) {
  return write_fails(fd) ? -1 : syscall(SYS_write, fd, data, length);
}

ssize_t copy_file_range(int in, off64_t* in_offset, int out, off64_t* out_offset, size_t length,
                        unsigned flags) {
  const off64_t offset = in_offset != NULL ? *in_offset : lseek(in, 0, SEEK_CUR);
  if (read_fails(in, offset, length) || write_fails(out)) return -1;
  return syscall(SYS_copy_file_range, in, in_offset, out, out_offset, length, flags);
}

int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const int mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, int) : 0;
  va_end(rest);
  if ((flags & O_TMPFILE) != O_TMPFILE || setting("FAULTY_TMPFILE") == 0)
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
  errno = EOPNOTSUPP;
  return -1;
}

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const int mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, int) : 0;
  va_end(rest);
  return open64(path, flags, mode);
}

int fsync(int fd) {
  if (setting("FAULTY_SYNC") == 0) return (int)syscall(SYS_fsync, fd);
  errno = EIO;
  return -1;
}

int fdatasync(int fd) {
  return fsync(fd);
}

int clock_gettime(clockid_t id, struct timespec* now) {
  const int result = (int)syscall(SYS_clock_gettime, id, now);
  const long step = setting("FAULTY_CLOCK");
  if (step != 0) now->tv_sec += step * (atomic_fetch_add(&clock_readings, 1) + 1);
  return result;
}
