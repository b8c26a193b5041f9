// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "work/info.h"

namespace e2qcow::cli {

// The words for what an image is, the same in the text and in the JSON of `info`. Names from the image are
// printable.

// The text of the first extension of this type; empty if there is none.
std::string extension_text(const work::Info& info, std::uint32_t type);
const char* encryption_name(const qcow2::Header& header);
const char* compression_name(const qcow2::Header& header);
// Of the incompatible features; the image may name bits that we do not know.
std::vector<std::string> feature_names(const work::Info& info);
std::vector<std::string> extension_names(const work::Info& info);

// Whether the disk in the image is all that its dump was to hold.
struct Whole {
  enum class Answer { yes, no, not_known };
  Answer answer;
  std::string why{};  // unless it is yes
};
Whole wholeness(const work::Info& info);  // which has a record

// Of a finding, which a later version may have written: then its number.
std::string finding_name(std::uint8_t finding);
std::string finding_description(std::uint8_t finding);

// A list in an image may be arbitrarily long.
constexpr std::size_t kMaxListed = 100;
template <typename T>
std::span<const T> listed(const std::vector<T>& list) {
  return std::span(list).first(std::min(list.size(), kMaxListed));
}
// Cut if it is very long.
std::string printable_name(const std::string& name);

}  // namespace e2qcow::cli
