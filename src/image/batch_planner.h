// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <optional>

#include "image/read_ahead.h"

namespace e2qcow {

// Cuts the extents of a source into batches of about a mebibyte for a sink of the given granularity, and
// gives the source hints of what comes next.
class BatchPlanner {
 public:
  BatchPlanner(const ImageSource& source, std::uint64_t granularity);

  // Fills in batch.ranges and batch.reads. False at the end of the disk.
  bool next(Batch& batch);

  // The most bytes that a batch has.
  std::uint64_t capacity() const { return capacity_; }

 private:
  bool add(Batch& batch, Extent extent);

  const ImageSource& source_;
  std::optional<ReadAhead> read_ahead_;  // if the source wants hints
  std::uint64_t granularity_;
  std::uint64_t capacity_;
  std::uint64_t position_ = 0;  // everything before it is planned
  std::uint64_t planned_ = 0;   // bytes in the current batch
};

// Notes, for each piece that is stored as it was read, where the source stores it.
void find_shareable(Batch& batch, const ImageSource& source);

// Sizes batch.data and fills it with the data read and with zeros.
void fill(Batch& batch, const ImageSource& source);

}  // namespace e2qcow
