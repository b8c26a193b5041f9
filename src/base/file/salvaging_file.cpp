// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/salvaging_file.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "base/bytes.h"
#include "base/stop.h"

namespace e2qcow {
namespace {

// The errors that Linux reports if a device was unplugged or its server has ended: from FUSE those of
// connections, from NFS ESTALE.
constexpr int kGone[] = {ENODEV,       ENXIO,      EBADF,     ENOMEDIUM, ENOTCONN,
                         ECONNABORTED, ECONNRESET, ESHUTDOWN, ESTALE};

// A device that is gone is not an unreadable block: all the rest would become zeros. Nor is what a server
// refuses.
void rethrow_unless_unreadable(const std::system_error& error) {
  const bool gone = error.code().category() == std::generic_category() &&
                    std::ranges::count(kGone, error.code().value()) > 0;
  const bool is_of_the_whole = error.code() == Errc::interrupted || error.code() == Errc::connection_lost ||
                               error.code() == Errc::refused;
  if (is_of_the_whole || gone) throw;
}

}  // namespace

void SalvagingFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  bool must_not_touch = failed({offset, out.size()});
  if (!must_not_touch) {
    try {
      below().read(offset, out);
      return note_success(offset);
    } catch (const std::system_error& error) {
      rethrow_unless_unreadable(error);
      must_not_touch = error.code() == Errc::unreadable;
    }
  }
  if (must_not_touch && out.size() > options_.block_size) return read_halves(offset, out);
  while (!out.empty()) {
    const std::uint64_t block_end = round_down(offset, options_.block_size) + options_.block_size;
    const std::size_t length = std::min<std::uint64_t>(out.size(), block_end - offset);
    read_block(offset, out.first(length));
    offset += length;
    out = out.subspan(length);
  }
}

// Areas known to be bad fail without a read, so the data around them is read in large pieces.
void SalvagingFile::read_halves(std::uint64_t offset, std::span<std::byte> out) const {
  const std::uint64_t middle = std::max(round_down(offset + out.size() / 2, options_.block_size),
                                        round_down(offset, options_.block_size) + options_.block_size);
  read(offset, out.first(middle - offset));
  read(middle, out.subspan(middle - offset));
}

void SalvagingFile::read_block(std::uint64_t offset, std::span<std::byte> out) const {
  if (failed({offset, out.size()})) return read_what_may_be_touched(offset, out);
  std::size_t length = 0;
  for (unsigned attempt = 0; attempt <= options_.retries && !failed({offset, out.size()}); ++attempt) {
    throw_if_stopped();
    try {
      if (options_.strict) return below().read(offset, out);
      length = below().read_up_to(offset, out);
      if (length == out.size()) return note_success(offset);
      break;  // the file ends in the block
    } catch (const std::system_error& error) {
      rethrow_unless_unreadable(error);
      const bool is_final = attempt == options_.retries || error.code() == Errc::unreadable;
      if (options_.strict && is_final) throw;
      if (error.code() == Errc::unreadable) return read_what_may_be_touched(offset, out);
      if (is_final) fail_if_gone();
    }
  }
  std::ranges::fill(out.subspan(length), std::byte{0});
  const std::uint64_t block = round_down(offset, options_.block_size);
  add_loss({block, options_.block_size});
}

void SalvagingFile::note_success(std::uint64_t offset) const {
  readable_.store(offset, std::memory_order_relaxed);
  failures_.store(0, std::memory_order_relaxed);
}

// Some devices answer everything with EIO once they have lost contact. To look each time would wear out a bad
// one.
void SalvagingFile::fail_if_gone() const {
  constexpr unsigned kSuspicious = 16;
  const std::uint64_t readable = readable_.load(std::memory_order_relaxed);
  if (++failures_ % kSuspicious != 0 || readable == kNone || below().can_still_read(readable)) return;
  fail_errno(EIO, fmt::format("{}: no longer answers: even what was read before, at {}, cannot be read",
                              name(), readable));
}

// A loss, or an area that must not be touched, may end inside the block.
void SalvagingFile::read_what_may_be_touched(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const std::uint64_t length = std::min<std::uint64_t>(out.size(), kSector - offset % kSector);
    try {
      if (failed({offset, length}))
        std::ranges::fill(out.first(length), std::byte{0});
      else
        below().read(offset, out.first(length));
    } catch (const std::system_error& error) {
      rethrow_unless_unreadable(error);
      std::ranges::fill(out.first(length), std::byte{0});
      add_loss({round_down(offset, kSector), kSector});
    }
    offset += length;
    out = out.subspan(length);
  }
}

// Adjacent losses are joined: a disk may have millions of bad blocks.
void SalvagingFile::add_loss(Extent block) const {
  const std::scoped_lock lock(mutex_);
  auto next = losses_.lower_bound(block.offset);
  if (next != losses_.begin() && std::prev(next)->first + std::prev(next)->second >= block.offset) {
    --next;
    block = {next->first, std::max(next->second, block.end() - next->first)};
  }
  while (next != losses_.end() && next->first <= block.end()) {
    block.length = std::max(block.end(), next->first + next->second) - block.offset;
    next = losses_.erase(next);
  }
  losses_[block.offset] = block.length;
}

bool SalvagingFile::failed(Extent range) const {
  const std::scoped_lock lock(mutex_);
  auto next = losses_.upper_bound(range.offset);
  if (next != losses_.begin() && std::prev(next)->first + std::prev(next)->second > range.offset) return true;
  return next != losses_.end() && next->first < range.end();
}

std::vector<Extent> SalvagingFile::losses() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Extent> joined;
  for (const auto& [offset, length] : losses_) joined.push_back({offset, length});
  return joined;
}

}  // namespace e2qcow
