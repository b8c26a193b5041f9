// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>

#include <cstddef>
#include <cstdint>
#include <deque>

namespace e2qcow {

// What is to be read from a slow device, in the order in which it was asked for. A request that waits grows
// into what is asked for next, if that begins in it or no more than File::kPrefetchMargin behind it: the
// device brings what is between sooner than it serves another request.
class ReadRequests {
 public:
  static constexpr std::uint64_t kMaxBytes = 128 << 10;  // of a request
  static constexpr std::size_t kMaxCount = 1024;         // that wait; more are forgotten

  // Returns the number of new requests.
  std::size_t add(Extent range);

  bool empty() const { return waiting_.empty(); }
  void clear() { waiting_.clear(); }
  // The first one, which then no longer waits. There has to be one.
  Extent take();

 private:
  std::deque<Extent> waiting_;
};

// The beginning of the range, as long as a request may be, which is taken off the range.
Extent take_request(Extent& range);

}  // namespace e2qcow
