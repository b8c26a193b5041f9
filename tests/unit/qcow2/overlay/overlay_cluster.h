// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

namespace e2qcow::qcow2 {

inline constexpr std::uint64_t kOverlayCluster = 4096;  // of overlays of small disks

}  // namespace e2qcow::qcow2
