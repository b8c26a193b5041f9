// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>
#include <e2qcow/image.h>

#include <vector>

#include "base/durability.h"

namespace e2qcow {

// A raw disk: a file with holes for the zeros of the disk, or a device whose old contents are overwritten
// with zeros there.
class RawSink : public ImageSink {
 public:
  struct Options {
    std::uint64_t size = 0;    // of the disk; a device may be larger, and keeps what it has after that
    std::uint64_t offset = 0;  // of the disk in the target, which keeps what it has before that
    // The target has old contents. They are cleared, and the first bytes (a superblock, a partition table) go
    // last, so that nothing takes a half-written disk for a whole one.
    bool overwrites = false;
    bool clears_head =
        true;  // at the beginning; else the caller does, by clear_head(), before anything is changed
    File::Zeroing zeroing = File::Zeroing::keep_allocated;
    // If the caller syncs the file in the end, the disk had better begin writing at once.
    Durability durability = Durability::synced;
  };

  RawSink(File& file, const Options& options);

  // Lets nothing take the target for a whole disk from now on.
  static void clear_head(File& file, const Options& options);

  std::uint64_t granularity() const override { return hole_size_; }
  void pack(Batch& batch) const override;
  void append(const Batch& batch) override;
  void finish() override;

 private:
  void write(Batch::Piece piece);
  void clear_until(std::uint64_t guest_offset);
  std::uint64_t in_target(std::uint64_t guest_offset) const { return options_.offset + guest_offset; }

  File& file_;
  Options options_;
  std::uint64_t hole_size_;      // zeros are left out in pieces of this size
  std::vector<std::byte> head_;  // is written by finish()
  std::uint64_t written_until_ = 0;
};

}  // namespace e2qcow
