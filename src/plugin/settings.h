// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <system_error>
#include <vector>

namespace e2qcow::plugin {

// The environment variables through which `e2qcow exec` passes its options to the preloaded library.
inline constexpr const char* kRunVariable = "E2QCOW_RUN";
inline constexpr const char* kCacheVariable = "E2QCOW_CACHE_SIZE";
inline constexpr const char* kVerifyVariable = "E2QCOW_VERIFY";  // "no" or nothing
// Lists. Each has a variable for each element, because names may contain any separator, and an empty one
// after the last.
inline constexpr const char* kOverlayList = "E2QCOW_OVERLAY";
inline constexpr const char* kOverlayImageList = "E2QCOW_IMAGE";  // whose overlay it is; "*": of any other
inline constexpr const char* kTemporaryList = "E2QCOW_TEMPORARY";
inline constexpr const char* kBackingList = "E2QCOW_BACKING";
inline constexpr const char* kDataFileList = "E2QCOW_DATA_FILE";
inline constexpr const char* kAnyImage = "*";
inline std::string list_variable(const std::string& list, std::size_t index) {
  return list + std::to_string(index);
}

// The overlay that the user names for an image.
struct NamedOverlay {
  std::string image{};  // empty: for every image without an overlay of its own
  std::string file{};
};

// How images are opened.
struct Settings {
  static constexpr std::uint64_t kDefaultCacheBytes = 64 << 20;

  std::vector<NamedOverlay> overlays{};
  // Files that the programs of a run share: overlays of the images that have no other, one each, in the order
  // in which the images are changed. May be empty.
  std::vector<std::string> temporaries{};
  std::string run{};  // the file in which the run is recorded (run_file.h); may be empty
  std::vector<std::string> backing{};
  std::vector<std::string> data_files{};  // external, of those images that have one
  std::uint64_t cache_bytes = kDefaultCacheBytes;
  bool verify = true;  // check what is read by the digests that an image holds
  // Receives messages for the user, one line each.
  std::function<void(const std::string&)> say = [](const std::string&) {};
  // A hint at the option that helps against an error, if the program has one; it is appended to the message.
  std::function<std::string(const std::error_code&)> hint = [](const std::error_code&) { return ""; };
};

// The settings for images opened from now on. Do not change them while another thread opens one.
Settings& settings();

}  // namespace e2qcow::plugin
