// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>

#include <cstddef>
#include <cstdint>
#include <deque>

namespace e2qcow {

// The ranges to read from a slow device, in the order of the requests. A waiting request grows to include the
// next one if that begins inside it or at most kPrefetchMargin after it: reading the gap is faster than a
// second request.
class ReadRequests {
 public:
  static constexpr std::uint64_t kMaxBytes = 128 << 10;  // of a request
  static constexpr std::size_t kMaxCount = 1024;         // that wait; more are forgotten

  // Returns the number of new requests.
  std::size_t add(Extent range);

  bool empty() const { return waiting_.empty(); }
  void clear() { waiting_.clear(); }
  // Removes and returns the first one. There must be one.
  Extent take();

 private:
  std::deque<Extent> waiting_;
};

// Cuts the beginning off the range, as long as a request may be, and returns it.
Extent take_request(Extent& range);

}  // namespace e2qcow
