// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/read_requests.h"

#include <e2qcow/file.h>

#include <algorithm>

namespace e2qcow {
namespace {

// Takes off the range what the request can grow into.
void grow(Extent& request, Extent& range) {
  const std::uint64_t limit = request.offset + ReadRequests::kMaxBytes;
  const bool is_near =
      request.offset <= range.offset && range.offset <= request.end() + File::kPrefetchMargin;
  if (!is_near || range.offset >= limit) return;
  const std::uint64_t end = std::min(range.end(), limit);
  request.length = std::max(request.end(), end) - request.offset;
  range = {end, range.end() - end};
}

}  // namespace

std::size_t ReadRequests::add(Extent range) {
  const std::size_t before = waiting_.size();
  if (!waiting_.empty()) grow(waiting_.back(), range);
  while (!range.empty() && waiting_.size() < kMaxCount) waiting_.push_back(take_request(range));
  return waiting_.size() - before;
}

Extent ReadRequests::take() {
  const Extent first = waiting_.front();
  waiting_.pop_front();
  return first;
}

Extent take_request(Extent& range) {
  const Extent first{range.offset, std::min(range.length, ReadRequests::kMaxBytes)};
  range = {first.end(), range.length - first.length};
  return first;
}

}  // namespace e2qcow
