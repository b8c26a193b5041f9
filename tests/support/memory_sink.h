// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <vector>

#include "image/drop_zeros.h"
#include "tests/support/bytes.h"

namespace e2qcow {

// Remembers what it gets.
class MemorySink : public ImageSink {
 public:
  struct Stored {
    std::uint64_t guest_offset;
    Bytes bytes;
    friend bool operator==(const Stored&, const Stored&) = default;
  };

  explicit MemorySink(std::uint64_t granularity) : granularity_(granularity) {}

  const std::vector<Stored>& stored() const { return stored_; }
  bool finished() const { return finished_; }
  // The first `size` bytes of the disk that was stored.
  Bytes disk(std::uint64_t size) const {
    Bytes disk(size + granularity_);
    for (const Stored& piece : stored_)
      std::ranges::copy(piece.bytes, disk.begin() + static_cast<std::ptrdiff_t>(piece.guest_offset));
    disk.resize(size);
    return disk;
  }

  std::uint64_t granularity() const override { return granularity_; }
  void pack(Batch& batch) const override { drop_zeros(batch, granularity_); }
  void append(const Batch& batch) override {
    for (const Batch::Piece& piece : batch.pieces)
      stored_.push_back({piece.guest_offset, {piece.stored.begin(), piece.stored.end()}});
  }
  void finish() override { finished_ = true; }

 private:
  std::uint64_t granularity_;
  std::vector<Stored> stored_;
  bool finished_ = false;
};

}  // namespace e2qcow
