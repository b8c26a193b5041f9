// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "qcow2/format/fault.h"

namespace e2qcow::qcow2 {

struct CheckResult {
  std::uint64_t corruptions = 0;  // contradictions of the format, or in the image
  std::uint64_t leaks = 0;        // host clusters with a higher refcount than references: only space is lost
  std::vector<std::string> messages;  // the first kMaxMessages of both
  std::uint64_t suppressed_messages = 0;

  std::uint64_t image_end_offset = 0;     // after the last host cluster in use
  std::uint64_t total_clusters = 0;       // of the disk
  std::uint64_t allocated_clusters = 0;   // of these, in the file
  std::uint64_t compressed_clusters = 0;  // of these, compressed
  std::uint64_t fragmented_clusters = 0;  // of the allocated: compressed, or not right after the one before

  static constexpr std::size_t kMaxMessages = 100;
};

// Collects what a check finds. Keeps only the first messages, because an image may have millions of errors.
class CheckReport {
 public:
  template <typename... Args>
  void corruption(const Origin& origin, fmt::format_string<const Args&...> text, const Args&... args) {
    ++result_.corruptions;
    if (has_room()) add("corruption", origin, fmt::format(text, args...));
  }
  void corruption(const Origin& origin, const Fault& fault) {
    ++result_.corruptions;
    if (has_room()) add("corruption", origin, fault.text());
  }
  template <typename... Args>
  void leak(const Origin& origin, fmt::format_string<const Args&...> text, const Args&... args) {
    ++result_.leaks;
    if (has_room()) add("leak", origin, fmt::format(text, args...));
  }

  CheckResult& result() { return result_; }

 private:
  bool has_room();  // counts the message as suppressed if there is none
  void add(std::string_view kind, const Origin& origin, const std::string& text);

  CheckResult result_;
};

}  // namespace e2qcow::qcow2
