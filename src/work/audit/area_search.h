// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/file.h>
#include <e2qcow/image.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "base/pattern_search.h"

namespace e2qcow::work {

// How a string was found.
enum class Form : std::uint8_t { as_it_was, utf16 };

// A string that was found in an area.
struct Hit {
  std::uint64_t offset;
  std::uint64_t id;
  Form form;
  // NOLINTNEXTLINE(modernize-use-nullptr): it takes the 0 of the comparison for a pointer
  friend auto operator<=>(const Hit&, const Hit&) = default;
};

// The first hits of all, in the order of their offsets, and how many there were.
class FirstHits {
 public:
  explicit FirstHits(std::size_t limit) : limit_(limit) {}
  void add(const Hit& hit);
  void add(const FirstHits& other);
  std::uint64_t total() const { return total_; }
  // Ascending.
  std::vector<Hit> take() &&;

 private:
  void cut();

  std::size_t limit_;
  std::uint64_t total_ = 0;
  std::vector<Hit> hits_;
};

// The extents of a file that may hold anything but zeros; those that touch are one.
std::vector<Extent> data_extents(const ReadableFile& file);

// Searches these extents of the file with several threads. The result does not depend on their number.
FirstHits search_area(const ReadableFile& file, const std::vector<Extent>& extents,
                      const PatternSearch& patterns, std::size_t limit, const TransferOptions& options);

}  // namespace e2qcow::work
