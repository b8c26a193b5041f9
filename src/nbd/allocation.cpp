// SPDX-License-Identifier: GPL-2.0-or-later
#include "nbd/allocation.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/extents.h"

namespace e2qcow::nbd {
namespace {

// Source: the protocol, doc/proto.md of nbd: NBD_STATE_ZERO
constexpr std::uint32_t kReadsAsZeros = 1 << 1;
constexpr std::size_t kMostExtents = 1 << 16;  // kept of an answer; the rest is asked for again

}  // namespace

std::string read_allocation(std::uint64_t offset, std::span<const std::uint32_t> entries,
                            Allocation& allocation) {
  allocation = {{offset, 0}, {}};
  for (; entries.size() >= 2 && allocation.data.size() < kMostExtents; entries = entries.subspan(2)) {
    const Extent extent{allocation.covered.end(), entries[0]};
    if (extent.empty()) return fmt::format("a range of no bytes at {}", extent.offset);
    if ((entries[1] & kReadsAsZeros) == 0) add_joined(allocation.data, extent);
    allocation.covered.length += extent.length;
  }
  return allocation.covered.empty() ? "nothing" : "";
}

void KnownAllocation::add(Allocation allocation) {
  const std::scoped_lock lock(mutex_);
  answers_[next_] = std::move(allocation);
  next_ = (next_ + 1) % answers_.size();
}

void KnownAllocation::forget() {
  const std::scoped_lock lock(mutex_);
  answers_ = {};
}

std::optional<KnownAllocation::Found> KnownAllocation::find(std::uint64_t offset) const {
  const std::scoped_lock lock(mutex_);
  for (const auto& [covered, data] : answers_) {
    if (offset < covered.offset || offset >= covered.end()) continue;
    const auto rest = from_first_after(data, offset);
    if (rest.empty()) return Found{std::nullopt, covered.end()};
    const std::uint64_t begin = std::max(offset, rest.front().offset);
    return Found{Extent{begin, rest.front().end() - begin}, covered.end()};
  }
  return std::nullopt;
}

}  // namespace e2qcow::nbd
