// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <cstdint>
#include <optional>

namespace e2qcow {

// The first guest offset at which two disks differ; absent if they are the same. After its end a disk counts
// as zeros.
std::optional<std::uint64_t> first_difference(const ImageSource& a, const ImageSource& b,
                                              const TransferOptions& options);

}  // namespace e2qcow
