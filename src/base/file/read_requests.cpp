// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file/read_requests.h"

#include <e2qcow/file.h>

#include <algorithm>

namespace e2qcow {
namespace {

// Takes the part off the range that the request can grow into.
void grow(Extent& request, Extent& range) {
  if (range.offset < request.offset) return;
  const std::uint64_t skipped = range.offset - request.offset;
  if (skipped > request.length + File::kPrefetchMargin || skipped >= ReadRequests::kMaxBytes) return;
  const std::uint64_t taken = std::min(range.length, ReadRequests::kMaxBytes - skipped);
  request.length = std::max(request.length, skipped + taken);
  range = {range.offset + taken, range.length - taken};
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
