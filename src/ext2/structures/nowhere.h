// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

namespace e2qcow::ext2 {

// The block number that anonymised file systems have in place of those that lie outside and could be text.
constexpr std::uint32_t kNowhere = 0xffff'fff0;

}  // namespace e2qcow::ext2
