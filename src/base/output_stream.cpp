#include "base/output_stream.h"

#include <e2qcow/error.h>
#include <unistd.h>

#include <cerrno>

#include "base/stop.h"

namespace e2qcow {

void OutputStream::write(std::span<const std::byte> data) {
  while (!data.empty()) {
    throw_if_stopped();
    const ssize_t n = ::write(fd_, data.data(), data.size());
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
