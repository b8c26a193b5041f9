// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/cloned_file.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include <filesystem>

namespace e2qcow {

std::unique_ptr<PosixFile> cloned_file(const std::string& path) {
  const auto directory = std::filesystem::absolute(path).parent_path();
  const UniqueFd original(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  UniqueFd clone(::open(directory.c_str(), O_RDWR | O_TMPFILE | O_CLOEXEC, 0600));
  if (original.get() < 0 || clone.get() < 0 || ::ioctl(clone.get(), FICLONE, original.get()) != 0)
    return nullptr;
  return std::make_unique<PosixFile>(std::move(clone), "a clone of " + path);
}

}  // namespace e2qcow
