// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/blkid_probe.h"

#include <e2qcow/error.h>
#include <e2qcow/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <vector>

namespace e2qcow {
namespace {

// Where the signatures are that libblkid knows: the last from the front is that of VMFS, from the end one of
// RAIDs.
constexpr std::uint64_t kFront = 2304 << 10;
constexpr std::uint64_t kEnd = 256 << 10;
constexpr std::uint64_t kProbeStep = 64 << 10;  // what is unreadable costs no more

void copy_what_is_readable(const ReadableFile& disk, Extent from, int memory, std::uint64_t to) {
  std::vector<std::byte> bytes(from.length);
  try {
    disk.read(from.offset, bytes);
  } catch (const std::system_error& error) {
    if (error.code() != std::errc::io_error && error.code() != Errc::unreadable) throw;
    return;
  }
  if (::pwrite(memory, bytes.data(), bytes.size(), static_cast<off_t>(to)) < 0)
    fail_errno("memory for the front of a disk");
}

UniqueFd copy_of(const ReadableFile& disk, Extent part) {
  UniqueFd memory(::memfd_create("disk", MFD_CLOEXEC));
  if (memory.get() < 0 || ::ftruncate(memory.get(), static_cast<off_t>(part.length)) != 0)
    fail_errno("memory for the front of a disk");
  const std::uint64_t end_begins = part.length - std::min(part.length, kEnd);
  disk.prefetch({part.offset, std::min(part.length, kFront)});
  disk.prefetch({part.offset + end_begins, part.length - end_begins});
  for (std::uint64_t offset = 0; offset < part.length; offset += kProbeStep) {
    if (offset >= kFront && offset < end_begins)
      offset = std::max(offset, end_begins / kProbeStep * kProbeStep);
    const Extent step{part.offset + offset, std::min(kProbeStep, part.length - offset)};
    copy_what_is_readable(disk, step, memory.get(), offset);
  }
  return memory;
}

}  // namespace

ProbedPart::ProbedPart(const ReadableFile& disk, Extent part) : part_(part) {
  if (const auto place = disk.descriptor()) {
    fd_ = place->fd;
    if (!part.empty() || place->offset != 0) part_.offset += place->offset;
    return;
  }
  copy_ = copy_of(disk, part.empty() ? Extent{0, disk.size()} : part);
  part_ = {};
}

}  // namespace e2qcow
