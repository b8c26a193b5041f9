// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>

#include "base/printable.h"

namespace e2qcow::cli {

// 1536 -> "1.5 KiB"
std::string human_size(std::uint64_t bytes);

// "64k", "1M", "2G" or plain bytes. Throws CLI::ValidationError.
std::uint64_t parse_size(const std::string& text);

}  // namespace e2qcow::cli
