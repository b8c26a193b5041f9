// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/packed_file.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>

#include "base/extents.h"
#include "base/stop.h"
#include "base/threads.h"

namespace e2qcow {
namespace {

constexpr std::uint64_t kCopyPiece = 1 << 20;  // is copied at once
constexpr std::uint64_t kSmallestLoss = 512;

std::vector<Extent> cut(Extent extent, std::uint64_t length) {
  std::vector<Extent> pieces;
  for (std::uint64_t done = 0; done < extent.length; done += length)
    pieces.push_back({extent.offset + done, std::min(length, extent.length - done)});
  return pieces;
}

}  // namespace

PackedFile::PackedFile(std::unique_ptr<PosixFile> space, std::string name, std::uint64_t size)
    : space_(std::move(space)), name_(std::move(name)), size_(size) {}

void PackedFile::copy(const ReadableFile& from, std::span<const Extent> extents, unsigned threads) {
  std::vector<Part> added;
  for (const Extent& extent : extents)
    for (const Extent& piece : cut(extent, kCopyPiece)) {
      added.push_back({piece, used_});
      used_ += piece.length;
    }
  std::atomic<std::size_t> next{0};
  std::mutex mutex;  // guards lost_
  const auto work = [&] {
    std::vector<std::byte> bytes;
    for (std::size_t i = next++; i < added.size(); i = next++) {
      throw_if_stopped();
      const auto& [extent, place] = added[i];
      if (i + threads < added.size()) from.prefetch(added[i + threads].extent);
      bytes.resize(extent.length);
      from.read(extent.offset, bytes);
      space_->write(place, bytes);
      if (!from.is_lost(extent)) continue;
      const std::scoped_lock lock(mutex);
      for (const Extent& sector : cut(extent, kSmallestLoss))
        if (from.is_lost(sector)) lost_.push_back(sector);
    }
  };
  run_threads(threads, work, [&] { next = added.size(); });
  parts_.insert(parts_.end(), added.begin(), added.end());
  std::ranges::sort(parts_, {}, [](const Part& part) { return part.extent.offset; });
  lost_ = sorted_and_joined(std::move(lost_));
}

std::vector<PackedFile::Part>::const_iterator PackedFile::part_at(std::uint64_t offset) const {
  return std::ranges::upper_bound(parts_, offset, {}, [](const Part& part) { return part.extent.end(); });
}

void PackedFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  const Extent wanted{offset, out.size()};
  if (offset > size_ || out.size() > size_ - offset)
    fail(Errc::truncated, fmt::format("{}: read at {}: past the end", name_, offset));
  if (any_overlaps(lost_, wanted)) fail_errno(EIO, fmt::format("{}: read at {}", name_, offset));
  std::ranges::fill(out, std::byte{0});
  for (auto part = part_at(offset); part != parts_.end() && part->extent.offset < wanted.end(); ++part) {
    const Extent common = common_part(part->extent, wanted);
    space_->read(part->place + (common.offset - part->extent.offset),
                 out.subspan(common.offset - offset, common.length));
  }
}

std::optional<Extent> PackedFile::next_data(std::uint64_t offset) const {
  const auto part = part_at(offset);
  if (part == parts_.end()) return std::nullopt;
  const std::uint64_t begin = std::max(offset, part->extent.offset);
  return Extent{begin, part->extent.end() - begin};
}

bool PackedFile::has(Extent extent) const {
  for (auto part = part_at(extent.offset); !extent.empty() && part != parts_.end(); ++part) {
    if (part->extent.offset > extent.offset) return false;
    const std::uint64_t covered = std::min(extent.end(), part->extent.end());
    extent = {covered, extent.end() - covered};
  }
  return extent.empty();
}

}  // namespace e2qcow
