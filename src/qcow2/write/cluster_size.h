// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>

#include <cstdint>
#include <functional>
#include <span>

#include "qcow2/write/layout.h"

namespace e2qcow::qcow2 {

// Which cluster size suits an image of these extents, in bits. Sizes with tables that QEMU would not open are
// never chosen, if there is another.

// The one with the smallest uncompressed image, which may hold digests; of equals, the largest.
std::uint32_t best_cluster_bits(std::uint64_t disk_size, std::span<const Extent> extents,
                                std::optional<DigestKind> digest = std::nullopt);

// 64 KiB, as is usual; smaller if the tables of a huge disk would outweigh the little that is on it, larger
// if the disk is too large.
std::uint32_t usual_compressed_bits(std::uint64_t disk_size, std::span<const Extent> extents);

// How large a compressed image with this layout becomes; that takes as long as making it.
using WeighImage = std::function<std::uint64_t(const Layout&)>;

// The size that makes the smallest compressed image; of equal ones, the largest. Sizes whose tables by
// themselves are larger than the best image so far are skipped.
std::uint32_t best_compressed_bits(std::uint64_t disk_size, std::span<const Extent> extents,
                                   const WeighImage& weigh);

}  // namespace e2qcow::qcow2
