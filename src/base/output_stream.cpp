#include "base/output_stream.h"

#include <e2qcow/error.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/stop.h"

namespace e2qcow {
namespace {

// A pipe that can be written to takes this much without blocking; POSIX, PIPE_BUF. Larger pieces go to what
// never blocks for long.
constexpr std::size_t kPiece = 4096;

}  // namespace

void OutputStream::write(std::span<const std::byte> data) {
  while (!data.empty()) {
    wait_for(fd_, POLLOUT);
    const ssize_t n = ::write(fd_, data.data(), std::min(data.size(), kPiece));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_errno(name_ + ": write");
    written_ += static_cast<std::uint64_t>(n);
    data = data.subspan(static_cast<std::size_t>(n));
  }
}

OutputStream standard_output() {
  if (::isatty(STDOUT_FILENO) == 1)
    fail(Errc::refused, "standard output: is a terminal; send the image to a file or a pipe");
  return {STDOUT_FILENO, "standard output"};
}

}  // namespace e2qcow
