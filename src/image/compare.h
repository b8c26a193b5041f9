// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace e2qcow {

// The first guest offset at which two disks differ; absent if they are the same. After its end a disk counts
// as zeros.
std::optional<std::uint64_t> first_difference(const ImageSource& a, const ImageSource& b,
                                              const TransferOptions& options);

constexpr std::uint64_t kDifferenceUnit = 128;  // bytes: the smallest inode

// All ranges in which they differ, in units of kDifferenceUnit: ascending, not touching.
struct DifferentRanges {
  std::vector<Extent> ranges;
  std::optional<std::uint64_t> first_byte{};
  bool is_coarse = false;  // there are more than `most`: the last one covers the rest of them
};
DifferentRanges all_differences(const ImageSource& a, const ImageSource& b, const TransferOptions& options,
                                std::size_t most = std::size_t{1} << 22);

}  // namespace e2qcow
