// SPDX-License-Identifier: GPL-2.0-or-later
#include "qcow2/write/allocator.h"

#include <algorithm>
#include <limits>

#include "base/bytes.h"

namespace e2qcow::qcow2 {
namespace {

constexpr std::uint64_t kMaxReferences =
    std::numeric_limits<std::uint16_t>::max();  // kRefcountOrder: 16 bits

}  // namespace

Allocator::Allocator(RefcountWriter& refcounts, const Layout& layout)
    : refcounts_(refcounts),
      cluster_size_(layout.geometry.cluster_size()),
      next_cluster_(layout.data_offset / layout.geometry.cluster_size()) {}

std::uint64_t Allocator::allocate_clusters(std::uint64_t count) {
  const std::uint64_t first = next_cluster_;
  refcounts_.add(first, count);
  next_cluster_ += count;
  return first * cluster_size_;
}

// Whether the data fits into the rest of the last packed cluster, or may continue into the next.
bool Allocator::can_continue(std::uint64_t length) const {
  if (packed_end_ % cluster_size_ == 0 || end() - packed_end_ > kReach) return false;
  const std::uint64_t cluster = packed_end_ / cluster_size_;
  if (refcounts_.references(cluster) == kMaxReferences) return false;
  return packed_end_ + length <= (cluster + 1) * cluster_size_ || cluster + 1 == next_cluster_;
}

std::uint64_t Allocator::allocate_compressed(std::uint64_t length) {
  const std::uint64_t host_offset = can_continue(length) ? packed_end_ : end();
  packed_end_ = host_offset + length;
  const std::uint64_t first = host_offset / cluster_size_;
  const std::uint64_t end = divide_up(packed_end_, cluster_size_);
  refcounts_.add(first, end - first);
  next_cluster_ = std::max(next_cluster_, end);
  return host_offset;
}

std::uint64_t Allocator::first_open_cluster() const {
  return packed_end_ % cluster_size_ == 0 || end() - packed_end_ > kReach ? next_cluster_
                                                                          : packed_end_ / cluster_size_;
}

}  // namespace e2qcow::qcow2
