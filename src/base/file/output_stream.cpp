// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/output_stream.h"

#include <e2qcow/error.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/stop.h"

namespace e2qcow {
namespace {

// A pipe that can be written to takes this much without blocking; POSIX, PIPE_BUF.
constexpr std::size_t kAtomic = 4096;
constexpr std::size_t kUnlimited = 1 << 20;  // per write, if nothing waits for a reader

// How much can certainly be written without blocking when poll() reports room. The first and the last page of
// a pipe may be taken up by a few bytes.
std::size_t room_in(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) return kUnlimited;
  int queued = 0;
  const int capacity = ::fcntl(fd, F_GETPIPE_SZ);
  if (capacity < 0 || ::ioctl(fd, FIONREAD, &queued) != 0) return kAtomic;
  const auto room = static_cast<std::int64_t>(capacity) - queued - 2 * static_cast<std::int64_t>(kAtomic);
  return std::max(kAtomic, static_cast<std::size_t>(std::max<std::int64_t>(0, room)) / kAtomic * kAtomic);
}

}  // namespace

void OutputStream::write(std::span<const std::byte> data) {
  while (!data.empty()) {
    wait_for(fd_, POLLOUT);
    const ssize_t n = ::write(fd_, data.data(), std::min(data.size(), room_in(fd_)));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_errno(name_ + ": write");
    written_ += static_cast<std::uint64_t>(n);
    data = data.subspan(static_cast<std::size_t>(n));
  }
}

void send(const ReadableFile& file, OutputStream& out) {
  std::vector<std::byte> buffer(1 << 20);
  std::uint64_t position = 0;
  while (const std::size_t length = file.read_up_to(position, buffer)) {
    out.write(std::span(buffer).first(length));
    position += length;
  }
}

UniqueFd open_stream_for_writing(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
  if (fd.get() < 0) fail_errno(path + ": open for writing");
  return fd;
}

OutputStream standard_output() {
  if (::isatty(STDOUT_FILENO) == 1)
    fail(Errc::refused, "standard output: is a terminal; send the image to a file or a pipe");
  return {STDOUT_FILENO, "standard output"};
}

}  // namespace e2qcow
