// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>
#include <e2qcow/image.h>

#include <vector>

namespace e2qcow {

// The chosen extents of a file or device, as a disk of which everything else is zeros.
class ExtentSource : public ImageSource {
 public:
  // `extents` ascend, do not touch each other and lie inside the file, which must outlive the source.
  ExtentSource(const ReadableFile& file, std::vector<Extent> extents);

  std::uint64_t size() const override { return size_; }
  std::optional<Extent> next_extent(std::uint64_t guest_offset) override;
  void read(std::uint64_t guest_offset, std::span<std::byte> out) override { file_.read(guest_offset, out); }
  std::optional<File::Descriptor> stored_at(Extent range) const override;

 private:
  void prefetch_until(std::uint64_t bytes);

  const ReadableFile& file_;
  std::uint64_t size_;
  std::vector<Extent> extents_;
  std::size_t current_ = 0;
  std::uint64_t passed_bytes_ = 0;  // of the extents before the current one
  struct {
    std::size_t extent = 0;
    std::uint64_t inside = 0;
  } prefetching_;  // what is asked for next
  std::uint64_t prefetched_bytes_ = 0;
};

// The disk's size in an image: that of the device, in whole sectors as QEMU wants them.
std::uint64_t image_size(const ReadableFile& file);

}  // namespace e2qcow
