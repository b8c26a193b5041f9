// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/error.h>
#include <e2qcow/file.h>
#include <e2qcow/image.h>

#include <string>

namespace e2qcow {

// The disk of an image as a file to read from, for code that examines file systems. The source must outlive
// it.
class DiskFile : public ReadableFile {
 public:
  DiskFile(const ImageSource& source, std::string name) : source_(source), name_(std::move(name)) {}

  const std::string& name() const override { return name_; }
  std::uint64_t size() const override { return source_.size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    if (offset > size() || out.size() > size() - offset)
      fail(Errc::truncated, name_ + ": read past the end of the disk");
    source_.read(offset, out);
  }
  std::optional<Extent> next_data(std::uint64_t offset) const override { return source_.next_extent(offset); }
  void prefetch(Extent range) const override { source_.prefetch(range); }

 private:
  const ImageSource& source_;
  std::string name_;
};

}  // namespace e2qcow
