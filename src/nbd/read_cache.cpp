// SPDX-License-Identifier: GPL-2.0-or-later
#include "nbd/read_cache.h"

#include <algorithm>
#include <iterator>

#include "base/bytes.h"

namespace e2qcow::nbd {

// The first read that ends after it.
std::map<std::uint64_t, RequestPtr>::iterator ReadCache::first_after(std::uint64_t offset) {
  const auto next = reads_.upper_bound(offset);
  if (next == reads_.begin()) return next;
  const auto before = std::prev(next);
  return before->second->range.end() > offset ? before : next;
}

Extent ReadCache::widened(Extent range) const {
  const std::uint64_t begin = round_down(range.offset, shape_.unit);
  const std::uint64_t end = std::min(round_up(range.end(), shape_.unit), shape_.disk_size);
  return {begin, end - begin};
}

// Forgets the oldest; false if they are not answered yet.
bool ReadCache::make_room(std::uint64_t bytes) {
  while (bytes_ + bytes > shape_.limit && !by_age_.empty()) {
    const RequestPtr oldest = by_age_.front();
    if (!oldest->is_answered()) return false;
    by_age_.pop_front();
    bytes_ -= oldest->range.length;
    const auto known = reads_.find(oldest->range.offset);
    if (known != reads_.end() && known->second == oldest) reads_.erase(known);
  }
  return bytes_ + bytes <= shape_.limit;
}

RequestPtr ReadCache::add(Extent piece) {
  RequestPtr read = new_request(Request::Kind::read, piece);
  reads_[piece.offset] = read;
  by_age_.push_back(read);
  bytes_ += piece.length;
  return read;
}

std::vector<RequestPtr> ReadCache::reads_of(Extent range, Need need, const Ask& ask) {
  const Extent wanted = widened(range);
  const std::scoped_lock lock(mutex_);
  std::vector<RequestPtr> found;
  for (std::uint64_t offset = wanted.offset; offset < wanted.end(); offset = found.back()->range.end()) {
    const auto known = first_after(offset);
    if (known != reads_.end() && known->first <= offset) {
      found.push_back(known->second);
      continue;
    }
    const std::uint64_t next_known = known == reads_.end() ? wanted.end() : known->first;
    const std::uint64_t end_of_piece = round_down(offset, shape_.piece) + shape_.piece;
    const Extent piece{offset, std::min({wanted.end(), next_known, end_of_piece}) - offset};
    if (!make_room(piece.length) && need == Need::soon) break;
    found.push_back(add(piece));
    ask(found.back());
  }
  return found;
}

void ReadCache::forget(Extent range) {
  const std::scoped_lock lock(mutex_);
  auto next = first_after(range.offset);
  while (next != reads_.end() && next->first < range.end()) next = reads_.erase(next);
}

}  // namespace e2qcow::nbd
