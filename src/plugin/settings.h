// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <system_error>
#include <vector>

namespace e2qcow::plugin {

// The environment variables through which `e2qcow exec` passes its options to the preloaded library.
inline constexpr const char* kOverlayVariable = "E2QCOW_OVERLAY";
inline constexpr const char* kTemporaryVariable = "E2QCOW_TEMPORARY";
inline constexpr const char* kCacheVariable = "E2QCOW_CACHE_SIZE";
// One for each backing file, because names may contain any separator, and an empty one after the last.
inline std::string backing_variable(std::size_t index) {
  return "E2QCOW_BACKING" + std::to_string(index);
}

// How images are opened.
struct Settings {
  static constexpr std::uint64_t kDefaultCacheBytes = 64 << 20;

  std::string overlay{};    // empty: none
  std::string temporary{};  // an overlay shared by several programs, used if there is no other; may be empty
  std::vector<std::string> backing{};
  std::uint64_t cache_bytes = kDefaultCacheBytes;
  // Receives messages for the user, one line each.
  std::function<void(const std::string&)> say = [](const std::string&) {};
  // A hint at the option that helps against an error, if the program has one; it is appended to the message.
  std::function<std::string(const std::error_code&)> hint = [](const std::error_code&) { return ""; };
};

// The settings for images opened from now on. Do not change them while another thread opens one.
Settings& settings();

}  // namespace e2qcow::plugin
