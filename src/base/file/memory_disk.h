// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/unique_fd.h"

namespace e2qcow {

// An open file of zeros in memory, for programs that examine a disk's file themselves. It has the disk's
// size, can be written and truncated, and cannot grow. Only written parts take memory.
UniqueFd open_memory_disk(std::uint64_t size);

// An empty file in memory, which can grow.
UniqueFd open_memory_file();

// The range lies inside of it.
void write_to_memory_disk(const UniqueFd& disk, std::uint64_t offset, std::span<const std::byte> data);

}  // namespace e2qcow
