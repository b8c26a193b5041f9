// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>
#include <e2qcow/image.h>

#include <vector>

namespace e2qcow {

// The chosen extents of a file or device, as a disk whose other bytes are zeros.
class ExtentSource : public ImageSource {
 public:
  // `extents` ascend, do not touch each other and lie inside the file, which must outlive the source.
  ExtentSource(const ReadableFile& file, std::vector<Extent> extents);

  std::uint64_t size() const override { return size_; }
  std::optional<Extent> next_extent(std::uint64_t guest_offset) const override;
  void read(std::uint64_t guest_offset, std::span<std::byte> out) const override {
    file_.read(guest_offset, out);
  }
  void prefetch(Extent range) const override { file_.prefetch(range); }
  bool wants_hints() const override { return true; }
  std::optional<File::Descriptor> stored_at(Extent range) const override;

 private:
  const ReadableFile& file_;
  std::uint64_t size_;
  std::vector<Extent> extents_;
};

// The disk's size in an image: that of the device, in whole sectors as QEMU wants them.
std::uint64_t image_size(const ReadableFile& file);

}  // namespace e2qcow
