// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "base/file/forwarding_file.h"

namespace e2qcow {

// A part of another file, as a partition is of a disk.
class FileWindow : public ForwardingFile {
 public:
  // Throws Errc::truncated if the window does not lie inside the file.
  FileWindow(const ReadableFile& file, Extent window);

  std::uint64_t size() const override { return window_.length; }
  void read(std::uint64_t offset, std::span<std::byte> out) const override;
  std::optional<Extent> next_data(std::uint64_t offset) const override;
  bool is_lost(Extent range) const override { return below().is_lost(outside(range)); }
  void prefetch(Extent range) const override { below().prefetch(outside(range)); }
  bool can_still_read(std::uint64_t offset) const override {
    return below().can_still_read(window_.offset + offset);
  }
  std::optional<Descriptor> descriptor() const override;

 private:
  Extent outside(Extent range) const { return {window_.offset + range.offset, range.length}; }

  Extent window_;
};

}  // namespace e2qcow
