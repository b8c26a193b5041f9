// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <e2qcow/extent.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace e2qcow::nbd {

// What a server says of the allocation of a range: data, in ascending extents, and zeros between.
struct Allocation {
  Extent covered;
  std::vector<Extent> data;
};

// Something that is asked of a server. It may be asked several times, over several connections, until there
// is an answer.
struct Request {
  enum class Kind { read, write, zero, flush, allocation };
  enum class State { waiting, under_way, answered };

  Request(Kind what, Extent where) : kind(what), range(where) {}

  const Kind kind;
  const Extent range;
  bool may_punch = false;  // of zero: what reads as zeros need not be allocated
  // The bytes that are read or written. A connection writes to them until it is closed, whatever else
  // happens.
  std::unique_ptr<std::byte[]> bytes{};
  Allocation allocation{};  // the answer
  std::string fault{};      // of an answer that makes no sense

  std::atomic<State> state{State::waiting};
  bool is_urgent = false;  // for the queue
  int error = 0;           // of the answer; 0: it was done. Not changed once it is answered

  std::span<std::byte> buffer() const { return {bytes.get(), range.length}; }
  bool is_answered() const { return state.load(std::memory_order_acquire) == State::answered; }
  bool changes_disk() const { return kind == Kind::write || kind == Kind::zero; }
};
using RequestPtr = std::shared_ptr<Request>;

// With a buffer for its bytes.
inline RequestPtr new_request(Request::Kind kind, Extent range) {
  auto request = std::make_shared<Request>(kind, range);
  if (kind == Request::Kind::read || kind == Request::Kind::write)
    request->bytes = std::make_unique_for_overwrite<std::byte[]>(range.length);
  return request;
}

}  // namespace e2qcow::nbd
