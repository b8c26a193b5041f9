// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>
#include <e2qcow/image.h>

namespace e2qcow {

// A raw disk in a file or device, which must outlive it.
class RawSource : public ImageSource {
 public:
  explicit RawSource(const ReadableFile& file) : file_(file) {}
  std::uint64_t size() const override { return file_.size(); }
  std::optional<Extent> next_extent(std::uint64_t guest_offset) const override {
    return file_.next_data(guest_offset);
  }
  void read(std::uint64_t guest_offset, std::span<std::byte> out) const override {
    file_.read(guest_offset, out);
  }

 private:
  const ReadableFile& file_;
};

}  // namespace e2qcow
