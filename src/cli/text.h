#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace e2qcow::cli {

// 1536 -> "1.5 KiB"
std::string human_size(std::uint64_t bytes);

// "64k", "1M", "2G" or plain bytes. Throws CLI::ValidationError.
std::uint64_t parse_size(const std::string& text);

// Text from a disk or an image, safe to print on a terminal: control characters and what is not UTF-8 as
// \xNN.
std::string printable(std::string_view text);

}  // namespace e2qcow::cli
