// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/image.h>

#include <cstdint>
#include <optional>

namespace e2qcow {

// The first guest offset at which two disks differ; absent where they are the same. Behind its end a disk
// counts as zeros. `next_extent` of both must take any offset.
std::optional<std::uint64_t> first_difference(ImageSource& a, ImageSource& b, const TransferOptions& options);

}  // namespace e2qcow
