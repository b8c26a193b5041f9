// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/pipe_file.h"

#include <e2qcow/error.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>

#include "base/stop.h"

namespace e2qcow {
namespace {

constexpr std::size_t kPipeReadBytes = 256 * 1024;

}  // namespace

std::uint64_t PipeFile::size() const {
  const std::scoped_lock lock(mutex_);
  return ended_ ? position_ : kUnknownSize;
}

std::uint64_t PipeFile::position() const {
  const std::scoped_lock lock(mutex_);
  return position_;
}

// Reads the next bytes; false at the end.
bool PipeFile::advance() const {
  std::vector<std::byte> buffer(ring_.empty() ? kPipeReadBytes : 0);
  std::span<std::byte> room = buffer;
  if (!ring_.empty()) {
    room = std::span(ring_).subspan(position_ % ring_.size());
    room = room.first(std::min(room.size(), kPipeReadBytes));
  }
  ssize_t n = -1;
  while (n < 0) {
    wait_for(fd_, POLLIN);
    n = ::read(fd_, room.data(), room.size());
    if (n < 0 && errno != EINTR) fail_errno(fmt::format("{}: read at {}", name_, position_));
  }
  if (ring_.empty()) front_.append(room.first(static_cast<std::size_t>(n)));
  position_ += static_cast<std::uint64_t>(n);
  ended_ = n == 0;
  return !ended_;
}

std::size_t PipeFile::read_up_to(std::uint64_t offset, std::span<std::byte> out) const {
  const std::scoped_lock lock(mutex_);
  while (position_ < offset + out.size() && !ended_) advance();
  out = out.first(std::min<std::size_t>(out.size(), position_ - std::min(position_, offset)));
  copy_out(offset, out);
  return out.size();
}

void PipeFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  const std::size_t length = read_up_to(offset, out);
  if (length < out.size()) fail(Errc::truncated, fmt::format("{}: it ended early, at {}", name_, size()));
}

void PipeFile::copy_out(std::uint64_t offset, std::span<std::byte> out) const {
  if (offset < front_.size()) {
    const auto part = out.first(std::min<std::size_t>(out.size(), front_.size() - offset));
    front_.read(offset, part);
    offset += part.size();
    out = out.subspan(part.size());
  }
  if (out.empty()) return;
  if (position_ - offset > ring_.size())
    fail(Errc::refused,
         fmt::format("{}: read at {}: these bytes have passed and were not kept", name_, offset));
  const auto first = std::span(ring_).subspan(offset % ring_.size());
  const std::size_t length = std::min(first.size(), out.size());
  std::ranges::copy(first.first(length), out.begin());
  std::ranges::copy(std::span(ring_).first(out.size() - length),
                    out.begin() + static_cast<std::ptrdiff_t>(length));
}

void PipeFile::forget(std::uint64_t window) {
  const std::scoped_lock lock(mutex_);
  assert(ring_.empty());
  ring_.resize(window);
}

void PipeFile::drain() {
  const std::scoped_lock lock(mutex_);
  if (ring_.empty()) ring_.resize(kPipeReadBytes);
  while (advance()) {
  }
}

}  // namespace e2qcow
