// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "base/extents.h"
#include "base/file/direct_file.h"
#include "base/file/forwarding_file.h"
#include "base/file/posix_file.h"

namespace e2qcow {

// A block device that is read through the kernel's cache, but for some parts, where this has something else
// than the disk.
class PartlyDirectFile : public ForwardingFile {
 public:
  // `past_cache` ascend without overlaps.
  PartlyDirectFile(std::unique_ptr<PosixFile> device, std::vector<Extent> past_cache)
      : ForwardingFile(*device),
        device_(std::move(device)),
        direct_(*device_),
        past_cache_(std::move(past_cache)) {}

  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    device_->read(offset, out);
    for (const Extent& part : from_first_after(past_cache_, offset)) {
      const Extent common = common_part(part, {offset, out.size()});
      if (common.empty()) break;
      direct_.read(common.offset, out.subspan(common.offset - offset, common.length));
    }
  }
  // None: who reads by it would see the cache.
  std::optional<Descriptor> descriptor() const override { return std::nullopt; }

 private:
  std::unique_ptr<PosixFile> device_;
  DirectFile direct_;
  std::vector<Extent> past_cache_;
};

}  // namespace e2qcow
