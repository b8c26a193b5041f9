// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/direct_file.h"

#include <e2qcow/error.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/bytes.h"
#include "base/stop.h"

namespace e2qcow {
namespace {

constexpr std::size_t kReadStep = 1 << 20;      // is read at a time
constexpr std::size_t kBufferAlignment = 4096;  // enough for any disk

UniqueFd open_directly(const ReadableFile& device) {
  UniqueFd fd(::open(fmt::format("/proc/self/fd/{}", device.descriptor()->fd).c_str(),
                     O_RDONLY | O_DIRECT | O_CLOEXEC));
  if (fd.get() < 0) fail_errno(device.name() + ": open for reading past the cache");
  return fd;
}

std::uint64_t sector_size(int fd, const std::string& name) {
  int size = 0;
  if (::ioctl(fd, BLKSSZGET, &size) != 0) fail_errno(name + ": size of a sector");
  return static_cast<std::uint64_t>(size);
}

struct Free {
  void operator()(std::byte* bytes) const { std::free(bytes); }  // NOLINT(cppcoreguidelines-no-malloc)
};
using Buffer = std::unique_ptr<std::byte[], Free>;

Buffer aligned_buffer(std::size_t size) {
  Buffer buffer(
      static_cast<std::byte*>(std::aligned_alloc(kBufferAlignment, round_up(size, kBufferAlignment))));
  if (!buffer) throw std::bad_alloc();
  return buffer;
}

}  // namespace

DirectFile::DirectFile(const ReadableFile& device)
    : ForwardingFile(device), fd_(open_directly(device)), unit_(sector_size(fd_.get(), device.name())) {}

void DirectFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  const std::uint64_t longest = round_up(std::min(out.size(), kReadStep), unit_) + unit_;
  const Buffer buffer = aligned_buffer(longest);
  while (!out.empty()) {
    const std::uint64_t begin = round_down(offset, unit_);
    const std::size_t length = std::min(out.size(), kReadStep);
    read_aligned(begin, {buffer.get(), round_up(offset + length, unit_) - begin});
    std::memcpy(out.data(), buffer.get() + (offset - begin), length);
    offset += length;
    out = out.subspan(length);
  }
}

void DirectFile::read_aligned(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t n = ::pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) {
      throw_if_stopped();
      continue;
    }
    if (n < 0) fail_errno(fmt::format("{}: read at {}", name(), offset));
    if (n == 0) fail(Errc::truncated, fmt::format("{}: read at {}: the device ends there", name(), offset));
    offset += static_cast<std::uint64_t>(n);
    out = out.subspan(static_cast<std::size_t>(n));
  }
}

}  // namespace e2qcow
