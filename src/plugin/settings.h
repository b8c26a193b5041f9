// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <system_error>
#include <vector>

namespace e2qcow::plugin {

// The environment by which `e2qcow exec` tells the preloaded library what its options were.
inline constexpr const char* kOverlayVariable = "E2QCOW_OVERLAY";
inline constexpr const char* kTemporaryVariable = "E2QCOW_TEMPORARY";
inline constexpr const char* kCacheVariable = "E2QCOW_CACHE_SIZE";
// One for each backing file, as names may hold any separator, and an empty one behind the last.
inline std::string backing_variable(std::size_t index) {
  return "E2QCOW_BACKING" + std::to_string(index);
}

// How images are opened.
struct Settings {
  static constexpr std::uint64_t kDefaultCacheBytes = 64 << 20;

  std::string overlay{};    // empty: none
  std::string temporary{};  // an overlay that several programs share, if there is no other; may be empty
  std::vector<std::string> backing{};
  std::uint64_t cache_bytes = kDefaultCacheBytes;
  // Is told what the user should know; a line.
  std::function<void(const std::string&)> say = [](const std::string&) {};
  // What the user can do about an error, if the program has an option for it; is appended to what is said.
  std::function<std::string(const std::error_code&)> hint = [](const std::error_code&) { return ""; };
};

// Those for images that will be opened. Not while another thread opens one.
Settings& settings();

}  // namespace e2qcow::plugin
