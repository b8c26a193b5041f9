// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>
#include <e2qcow/image.h>

#include <cstdint>
#include <vector>

#include "base/file/output_stream.h"

namespace e2qcow::compat {

// Writes blocks at their offsets in a file or device, and leaves everything else there unchanged.
class BlockSink : public ImageSink {
 public:
  struct Options {
    std::uint32_t block_size = 4096;
    std::uint64_t offset = 0;  // of the disk in the target
    bool drops_zeros = false;  // unwritten parts of the target are zero
    bool skips_same = false;   // read first, and write what is different
  };
  // `file` must outlive the sink.
  BlockSink(File& file, const Options& options) : file_(file), options_(options) {}

  std::uint64_t granularity() const override { return options_.block_size; }
  void pack(Batch& batch) const override;
  void append(const Batch& batch) override;
  void finish() override {}

  // The number of blocks that the target already had.
  std::uint64_t skipped_blocks() const { return skipped_blocks_; }

 private:
  void write_different(const Batch::Piece& piece);

  File& file_;
  Options options_;
  std::uint64_t skipped_blocks_ = 0;
  std::vector<std::byte> present_;
};

// Sends a whole disk through a pipe, with zeros between the blocks.
class DiskStreamSink : public ImageSink {
 public:
  DiskStreamSink(OutputStream& out, std::uint32_t unit, std::uint64_t disk_size)
      : out_(out), unit_(unit), disk_size_(disk_size) {}

  std::uint64_t granularity() const override { return unit_; }
  void pack(Batch& batch) const override;
  void append(const Batch& batch) override;
  void finish() override { fill_until(disk_size_); }

 private:
  void fill_until(std::uint64_t guest_offset);

  OutputStream& out_;
  std::uint32_t unit_;
  std::uint64_t disk_size_;
  std::uint64_t position_ = 0;  // everything before it was sent
};

// Prints the numbers of the blocks that would be written.
class ListSink : public ImageSink {
 public:
  ListSink(std::uint32_t block_size, bool drops_zeros) : block_size_(block_size), drops_zeros_(drops_zeros) {}

  std::uint64_t granularity() const override { return block_size_; }
  void pack(Batch& batch) const override;
  void append(const Batch& batch) override;
  void finish() override {}

 protected:
  virtual void list(std::uint64_t block);

 private:
  std::uint32_t block_size_;
  bool drops_zeros_;
};

// The line that e2image prints for a write that is not a block of the disk.
void list_other_writes(std::uint64_t count);

}  // namespace e2qcow::compat
