// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/file/posix_file.h"

namespace e2qcow {

// A copy of parts of a device, one behind the other in a file of their own, that reads like the device; all
// else is zeros. What could not be read cannot be read here either.
class PackedFile : public ReadableFile {
 public:
  // `space`: an empty file. `size` and `name` are the device's.
  PackedFile(std::unique_ptr<PosixFile> space, std::string name, std::uint64_t size);

  // Copies extents of `from` that are not here yet, with so many threads. Not at the same time as other
  // calls.
  void copy(const ReadableFile& from, std::span<const Extent> extents, unsigned threads);

  const std::string& name() const override { return name_; }
  std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, std::span<std::byte> out) const override;
  std::optional<Extent> next_data(std::uint64_t offset) const override;

  // Whether all of it was copied.
  bool has(Extent extent) const;

 private:
  struct Part {
    Extent extent;        // of the device
    std::uint64_t place;  // in the file
  };
  // The first part that ends behind the offset.
  std::vector<Part>::const_iterator part_at(std::uint64_t offset) const;

  std::unique_ptr<PosixFile> space_;
  std::string name_;
  std::uint64_t size_;
  std::uint64_t used_ = 0;    // bytes of the file
  std::vector<Part> parts_;   // ascending, without overlaps
  std::vector<Extent> lost_;  // the same
};

}  // namespace e2qcow
