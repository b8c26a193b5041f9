// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/temporary_file.h"

#include <e2qcow/error.h>
#include <fcntl.h>

#include <cerrno>
#include <cstdlib>

namespace e2qcow {

std::string temporary_directory() {
  const char* configured = std::getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return configured != nullptr && *configured != '\0' ? configured : "/tmp";
}

std::string temporary_name() {
  return "temporary file in " + temporary_directory();
}

std::unique_ptr<PosixFile> open_temporary_file() {
  return open_temporary_file(temporary_directory());
}

std::unique_ptr<PosixFile> open_temporary_file(const std::string& directory) {
  UniqueFd fd(::open(directory.c_str(), O_RDWR | O_TMPFILE | O_CLOEXEC, 0600));
  if (fd.get() < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
    std::string name = directory + "/e2qcow.XXXXXX";
    fd = UniqueFd(::mkostemp(name.data(), O_CLOEXEC));
    if (fd.get() >= 0) ::unlink(name.c_str());
  }
  if (fd.get() < 0) fail_errno(directory + ": create a temporary file");
  return std::make_unique<PosixFile>(std::move(fd), "temporary file in " + directory);
}

}  // namespace e2qcow
