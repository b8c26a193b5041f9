// SPDX-License-Identifier: GPL-2.0-or-later
// Where a copy comes from, where it goes to, and the copying itself. C++20.
#pragma once

#include <e2qcow/extent.h>
#include <e2qcow/file.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace e2qcow {

// A disk to copy from: zeros with extents of data in it. Offsets are guest offsets, bytes in the disk. Safe
// from several threads at once.
class ImageSource {
 public:
  virtual ~ImageSource() = default;
  virtual std::uint64_t size() const = 0;

  // The first extent of data at or after guest_offset (cut off there if it begins before); absent if only
  // zeros follow.
  virtual std::optional<Extent> next_extent(std::uint64_t guest_offset) const = 0;

  // Reads from inside the disk. Outside all extents the bytes are arbitrary, or the read fails.
  virtual void read(std::uint64_t guest_offset, std::span<std::byte> out) const = 0;

  // A hint that the range, part of an extent, will be read soon; returns at once.
  virtual void prefetch(Extent) const {}
  // Whether such hints are useful. If not, there is no need to look ahead for them.
  virtual bool wants_hints() const { return false; }

  // Where the bytes of the range are stored unchanged and in one piece; absent if they are not. For sharing
  // them.
  virtual std::optional<File::Descriptor> stored_at(Extent) const { return std::nullopt; }

  // Reads of whole multiples of this, a power of two, are cheapest.
  virtual std::uint64_t read_unit() const { return 1; }
};

// Page-aligned memory, so that the kernel can move it to a disk without a copy.
template <typename T>
struct PageAllocator {
  using value_type = T;
  static constexpr std::align_val_t kPage{4096};
  PageAllocator() = default;
  template <typename U>
  explicit PageAllocator(const PageAllocator<U>&) {}
  T* allocate(std::size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), kPage)); }
  void deallocate(T* memory, std::size_t) { ::operator delete(memory, kPage); }
  friend bool operator==(const PageAllocator&, const PageAllocator&) { return true; }
};
using PageBytes = std::vector<std::byte, PageAllocator<std::byte>>;

// A part of a disk on its way from a source to a sink. It is planned, filled, packed and appended, and then
// reused for another part; the members that a stage sets are valid until the batch is planned again.
struct Batch {
  // Bytes as they will be stored, in `data` or `packed`: of the disk, or of a compressed cluster of it.
  struct Piece {
    std::uint64_t guest_offset;
    std::span<const std::byte> stored;
    bool compressed = false;
    std::optional<File::Descriptor> shareable{};  // the same bytes in the source's file
    std::uint64_t zeros = 0;  // bytes of zeros, instead of stored ones, that hide what is below them

    // Of a piece that is not compressed.
    std::uint64_t end() const { return guest_offset + (zeros != 0 ? zeros : stored.size()); }
  };

  // Planned:
  std::vector<Extent> ranges;  // of the disk; ascending, multiples of the sink's granularity
  std::vector<Extent> reads;   // what of them the source has; the rest is zeros
  // Filled:
  PageBytes data;  // the ranges' bytes, one after the other
  // Packed, by the sink; moving the batch does not move what the pieces point to:
  std::vector<std::byte> packed;   // for results that `data` does not have
  std::vector<Piece> pieces;       // ascending; zeros left out
  std::vector<std::byte> digests;  // of the units that the sink stores, in order, if it keeps digests
};

// A disk to copy to. Batches arrive in ascending order of guest offsets and never overlap.
class ImageSink {
 public:
  virtual ~ImageSink() = default;

  // Ranges of a batch begin at multiples of this many bytes, a power of two. The last may end past the disk's
  // end, with zeros there.
  virtual std::uint64_t granularity() const = 0;

  // Turns batch.data into batch.pieces: drops zeros, compresses. Called by several threads at once; no I/O.
  virtual void pack(Batch& batch) const = 0;

  // Stores batch.pieces. Called by one thread at a time, in order.
  virtual void append(const Batch& batch) = 0;
  // Asked after append(): if false, the rest of the disk is not needed.
  virtual bool wants_more() const { return true; }

  // Makes the output valid. Without it the output is not an image.
  virtual void finish() = 0;
};

// Receives the progress of the work. advance() is called by several threads at once.
class Progress {
 public:
  virtual ~Progress() = default;
  virtual void begin(std::string_view phase, std::uint64_t total_bytes) = 0;
  virtual void advance(std::uint64_t bytes) = 0;
};

struct TransferOptions {
  unsigned threads = 1;
  Progress* progress = nullptr;
};

// Copies all extents of `source`, or as many as it wants, to `sink` and finishes it. What the sink receives
// does not depend on the number of threads. The first error ends the work and is thrown, and the sink is not
// finished.
void transfer(const ImageSource& source, ImageSink& sink, const TransferOptions& options);

}  // namespace e2qcow
