// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <map>
#include <vector>

#include "nbd/request.h"

namespace e2qcow::nbd {

// The writes that a server may still forget: all since the last flush. None overlaps another, so they can be
// asked again in any order. Not safe from several threads.
class UnflushedWrites {
 public:
  void add(const RequestPtr& write);

  std::uint64_t bytes() const { return bytes_; }  // in memory
  std::size_t count() const { return by_offset_.size(); }
  bool empty() const { return by_offset_.empty(); }
  bool overlaps(Extent range) const;
  // Whether one that overlaps the range is not answered yet.
  bool is_being_written(Extent range) const;
  // Those with an answer: what a flush that is asked for now makes safe.
  std::vector<RequestPtr> answered() const;
  void forget(const std::vector<RequestPtr>& flushed);

 private:
  template <typename Matches>
  bool any_in(Extent range, Matches matches) const;

  std::map<std::uint64_t, RequestPtr> by_offset_;
  std::uint64_t bytes_ = 0;
};

}  // namespace e2qcow::nbd
