// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/memory_disk.h"

#include <e2qcow/error.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace e2qcow {

namespace {

UniqueFd open_in_memory(unsigned flags, const char* what) {
  UniqueFd fd(::memfd_create("e2qcow", MFD_CLOEXEC | flags));
  if (fd.get() < 0) fail_errno(what);
  return fd;
}

}  // namespace

UniqueFd open_memory_file() {
  return open_in_memory(0, "create a temporary file in memory");
}

UniqueFd open_memory_disk(std::uint64_t size) {
  UniqueFd fd = open_in_memory(MFD_ALLOW_SEALING, "create the disk in memory");
  if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) fail_errno("set the size of the disk in memory");
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_GROW) != 0) fail_errno("fix the size of the disk in memory");
  return fd;
}

void write_to_memory_disk(const UniqueFd& disk, std::uint64_t offset, std::span<const std::byte> data) {
  const ssize_t n = ::pwrite(disk.get(), data.data(), data.size(), static_cast<off_t>(offset));
  if (n < 0) fail_errno("write to the disk in memory");
  if (static_cast<std::size_t>(n) != data.size()) fail_errno(ENOSPC, "write to the disk in memory");
}

}  // namespace e2qcow
