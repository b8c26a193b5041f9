// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "nbd/request.h"

namespace e2qcow::nbd {

// What was read of a disk on a server, or is being read: a dump reads metadata twice, once for what it refers
// to and once to store it, and no page cache is below. What was asked first goes first. Safe from several
// threads.
class ReadCache {
 public:
  // `unit`: a power of two; reads begin and end there, or at the end of the disk. `piece`: the longest one; a
  // multiple of it. `limit`: bytes kept.
  struct Shape {
    std::uint64_t disk_size;
    std::uint64_t unit;
    std::uint64_t piece;
    std::uint64_t limit;
  };
  explicit ReadCache(const Shape& shape) : shape_(shape) {}

  // The reads that have the range between them; ascending. `ask` is called for new ones. If it is only to be
  // expected soon, the rest is left out when there is no room beside what is being read.
  enum class Need { now, soon };
  using Ask = std::function<void(const RequestPtr&)>;
  std::vector<RequestPtr> reads_of(Extent range, Need need, const Ask& ask);
  // Its contents are others now, or could not be read.
  void forget(Extent range);

 private:
  std::map<std::uint64_t, RequestPtr>::iterator first_after(std::uint64_t offset);
  Extent widened(Extent range) const;
  bool make_room(std::uint64_t bytes);
  RequestPtr add(Extent piece);

  const Shape shape_;
  std::mutex mutex_;  // guards what follows
  std::map<std::uint64_t, RequestPtr> reads_;
  std::deque<RequestPtr> by_age_;  // with those that were forgotten
  std::uint64_t bytes_ = 0;
};

}  // namespace e2qcow::nbd
