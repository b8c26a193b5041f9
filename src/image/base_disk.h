// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace e2qcow {

// The disk on which an image lies that stores only what differs. Safe from several threads at once.
class BaseDisk {
 public:
  virtual ~BaseDisk() = default;

  // For each unit of `contents`, whether the disk is known to have just these bytes there. `guest_offset` and
  // the length of `contents` are multiples of `unit`. Past its end the disk is zeros.
  virtual std::vector<bool> find_known(std::uint64_t guest_offset, std::span<const std::byte> contents,
                                       std::uint64_t unit) const = 0;
};

// Sets batch.pieces to the longest runs of units of `unit` bytes that the base has not: of bytes, or of
// zeros. The batch's ranges are multiples of `unit`.
void keep_differences(Batch& batch, std::uint64_t unit, const BaseDisk& base);

}  // namespace e2qcow
