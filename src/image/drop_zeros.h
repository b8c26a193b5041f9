// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <cstdint>

namespace e2qcow {

// Sets batch.pieces to the longest runs of units of `unit` bytes that are not all zero. The batch's ranges
// are multiples of `unit`.
void drop_zeros(Batch& batch, std::uint64_t unit);

}  // namespace e2qcow
