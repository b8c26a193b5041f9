// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/batch_planner.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/extents.h"

namespace e2qcow {
namespace {

// Large enough that locks and system calls cost nothing, small enough to stay in a processor's cache.
constexpr std::uint64_t kBatchBytes = 1 << 20;
constexpr std::size_t kMaxRanges = 256;

}  // namespace

BatchPlanner::BatchPlanner(const ImageSource& source, std::uint64_t granularity)
    : source_(source),
      granularity_(granularity),
      capacity_(std::max({kBatchBytes, granularity, source.read_unit()})) {
  if (source.wants_hints()) read_ahead_.emplace(source);
}

bool BatchPlanner::next(Batch& batch) {
  batch.ranges.clear();
  batch.reads.clear();
  planned_ = 0;
  while (const auto extent = source_.next_extent(position_)) {
    if (read_ahead_) read_ahead_->announce();
    if (!add(batch, *extent)) break;
  }
  return !batch.ranges.empty();
}

// Takes as much of the extent as fits; false if the batch is full.
bool BatchPlanner::add(Batch& batch, Extent extent) {
  const std::uint64_t start = round_down(extent.offset, granularity_);
  const bool in_last_range = !batch.ranges.empty() && start < batch.ranges.back().end();
  if (!in_last_range) {
    if (planned_ == capacity_ || batch.ranges.size() == kMaxRanges) return false;
    const std::uint64_t wanted = round_up(extent.end(), granularity_) - start;
    const std::uint64_t length = std::min(wanted, capacity_ - planned_);
    if (!batch.ranges.empty() && batch.ranges.back().end() == start)
      batch.ranges.back().length += length;
    else
      batch.ranges.push_back({start, length});
    planned_ += length;
  }
  const std::uint64_t end = std::min(extent.end(), batch.ranges.back().end());
  batch.reads.push_back({extent.offset, end - extent.offset});
  position_ = end;
  if (read_ahead_) read_ahead_->passed(batch.reads.back(), end == extent.end());
  return true;
}

// Parts that were not read are zero in the batch, whatever the source's file has there.
void find_shareable(Batch& batch, const ImageSource& source) {
  auto read = batch.reads.begin();
  for (Batch::Piece& piece : batch.pieces) {
    const Extent guest{piece.guest_offset, piece.stored.size()};
    while (read != batch.reads.end() && read->end() <= guest.offset) ++read;
    if (read == batch.reads.end()) return;
    if (!piece.compressed && piece.zeros == 0 && read->offset <= guest.offset && guest.end() <= read->end())
      piece.shareable = source.stored_at(guest);
  }
}

void fill(Batch& batch, const ImageSource& source) {
  batch.data.resize(total_length(batch.ranges));
  auto read = batch.reads.begin();
  std::byte* out = batch.data.data();
  for (const Extent& range : batch.ranges) {
    std::uint64_t position = range.offset;
    for (; read != batch.reads.end() && read->offset < range.end(); ++read) {
      std::memset(out, 0, read->offset - position);
      out += read->offset - position;
      source.read(read->offset, {out, read->length});
      out += read->length;
      position = read->end();
    }
    std::memset(out, 0, range.end() - position);
    out += range.end() - position;
  }
}

}  // namespace e2qcow
