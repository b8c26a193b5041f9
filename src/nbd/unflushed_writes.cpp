// SPDX-License-Identifier: GPL-2.0-or-later
#include "nbd/unflushed_writes.h"

#include <iterator>

namespace e2qcow::nbd {
namespace {

std::uint64_t in_memory(const Request& write) {
  return write.bytes ? write.range.length : 0;
}

}  // namespace

void UnflushedWrites::add(const RequestPtr& write) {
  by_offset_[write->range.offset] = write;
  bytes_ += in_memory(*write);
}

template <typename Matches>
bool UnflushedWrites::any_in(Extent range, Matches matches) const {
  auto next = by_offset_.upper_bound(range.offset);
  if (next != by_offset_.begin()) --next;
  for (; next != by_offset_.end() && next->first < range.end(); ++next)
    if (next->second->range.end() > range.offset && matches(*next->second)) return true;
  return false;
}

bool UnflushedWrites::overlaps(Extent range) const {
  return any_in(range, [](const Request&) { return true; });
}

bool UnflushedWrites::is_being_written(Extent range) const {
  return any_in(range, [](const Request& write) { return !write.is_answered(); });
}

std::vector<RequestPtr> UnflushedWrites::answered() const {
  std::vector<RequestPtr> found;
  for (const auto& [offset, write] : by_offset_)
    if (write->is_answered()) found.push_back(write);
  return found;
}

void UnflushedWrites::forget(const std::vector<RequestPtr>& flushed) {
  for (const RequestPtr& write : flushed) {
    bytes_ -= in_memory(*write);
    by_offset_.erase(write->range.offset);
  }
}

}  // namespace e2qcow::nbd
