// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/raw_sink.h"

#include <e2qcow/error.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "image/drop_zeros.h"

namespace e2qcow {
namespace {

constexpr std::uint64_t kFileHole = 4096;
constexpr std::uint64_t kDeviceHole = 64 * 1024;  // clearing costs a system call each
constexpr std::uint64_t kHeadSize =
    64 * 1024;  // the superblock is in the first block, which has at most 64 KiB

}  // namespace

RawSink::RawSink(File& file, const Options& options)
    : file_(file), options_(options), hole_size_(options.overwrites ? kDeviceHole : kFileHole) {
  if (!options_.overwrites) {
    file_.resize(in_target(options_.size));
    return;
  }
  head_.resize(std::min(kHeadSize, options_.size));
  if (options_.clears_head) clear_head(file, options_);
  written_until_ = head_.size();
}

void RawSink::clear_head(File& file, const Options& options) {
  file.write(options.offset, std::vector<std::byte>(std::min(kHeadSize, options.size)));
  file.sync();  // before anything else: an old superblock must not outlive a power failure
}

void RawSink::pack(Batch& batch) const {
  drop_zeros(batch, hole_size_);
}

void RawSink::append(const Batch& batch) {
  for (const Batch::Piece& piece : batch.pieces) {
    const std::uint64_t room = options_.size - std::min(options_.size, piece.guest_offset);
    const std::uint64_t length = std::min<std::uint64_t>(piece.stored.size(), room);
    if (!is_zero(piece.stored.subspan(length)))
      fail(Errc::too_small, fmt::format("{}: {} bytes are too small: the disk has data past that (at {})",
                                        file_.name(), options_.size, piece.guest_offset + length));
    const bool whole = length == piece.stored.size();
    write({.guest_offset = piece.guest_offset,
           .stored = piece.stored.first(length),
           .shareable = whole ? piece.shareable : std::nullopt});
  }
}

void RawSink::write(Batch::Piece piece) {
  if (piece.guest_offset < head_.size()) {
    const std::size_t length = std::min(head_.size() - piece.guest_offset, piece.stored.size());
    std::memcpy(head_.data() + piece.guest_offset, piece.stored.data(), length);
    piece = {.guest_offset = piece.guest_offset + length, .stored = piece.stored.subspan(length)};
  }
  if (piece.stored.empty()) return;
  clear_until(piece.guest_offset);
  const Extent range{in_target(piece.guest_offset), piece.stored.size()};
  if (!piece.shareable || !file_.share(range.offset, *piece.shareable, range.length)) {
    file_.write(range.offset, piece.stored);
    if (options_.durability == Durability::synced) file_.write_back(range);
  }
  written_until_ = piece.guest_offset + range.length;
}

void RawSink::clear_until(std::uint64_t guest_offset) {
  if (!options_.overwrites || guest_offset <= written_until_) return;
  file_.zero({in_target(written_until_), guest_offset - written_until_}, options_.zeroing);
}

void RawSink::finish() {
  clear_until(options_.size);
  if (head_.empty()) return;
  file_.sync();
  file_.write(in_target(0), head_);
  file_.sync();
}

}  // namespace e2qcow
